using Retry.Messaging.Benchmarks.Measuring;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>Lateness as columns, in milliseconds.</summary>
internal static class LatenessFigures
{
    public static IReadOnlyList<Figure> Of(IReadOnlyList<Percentiles> rounds) =>
    [
        new("earliest ms", [.. rounds.Select(round => round.Min)], 1),
        new("p50 ms", [.. rounds.Select(round => round.P50)], 1),
        new("p99 ms", [.. rounds.Select(round => round.P99)], 1),
        new("max ms", [.. rounds.Select(round => round.Max)], 1),
    ];
}
