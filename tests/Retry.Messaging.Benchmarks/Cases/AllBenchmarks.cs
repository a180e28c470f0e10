using Retry.Messaging.Benchmarks.Running;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>Everything that can be measured, in the order in which it is.</summary>
internal static class AllBenchmarks
{
    public static IReadOnlyList<IBenchmark> All { get; } =
    [
        new HappyPath(),
        new Once(),
        new OnceMarks(),
        new RetryCycle(),
        new RetryCycleTwoHops(),
        new LatenessAtRates(TimeSpan.FromSeconds(1), "1s", "one hop", TimeSpan.FromSeconds(1)),
        new LatenessAtRates(TimeSpan.FromSeconds(1.5), "1.5s", "two hops", TimeSpan.FromSeconds(1)),
        new LatenessAtRates(TimeSpan.FromSeconds(30), "30s", "one hop", TimeSpan.FromSeconds(1)),
        new LatenessAtOnce(),
        new Backlog(),
        new ScheduledBacklog(),
        new LimiterRate(),
        new Parking(),
        new Replay(),
        new SchedulerCycle(),
        new StartUp(),
        new Decisions(),
    ];

    /// <summary>Finds benchmarks by name: the one of that name, else all that begin so.</summary>
    public static IReadOnlyList<IBenchmark> Named(string name) =>
        All.Where(benchmark => benchmark.Name == name).ToArray() is { Length: > 0 } exact
            ? exact
            : [.. All.Where(benchmark => benchmark.Name.StartsWith(name, StringComparison.Ordinal))];
}
