using Retry.Messaging.Benchmarks.Measuring;

namespace Retry.Messaging.Benchmarks.Reporting;

/// <summary>What a benchmark found.</summary>
/// <param name="Name">What it is called on the command line.</param>
/// <param name="Title">What was measured, as a heading.</param>
/// <param name="Method">How, in a sentence or two.</param>
/// <param name="Rows">One row for each side, or for each side in one situation.</param>
internal sealed record BenchmarkResult(string Name, string Title, string Method, IReadOnlyList<ResultRow> Rows)
{
    /// <summary>Gets what was promised, and what was found.</summary>
    public IReadOnlyList<TargetCheck> Targets { get; init; } = [];

    /// <summary>Gets the share of the machine that other processes used, in the median and in the worst round; null where nobody can tell.</summary>
    public Figure? Others { get; init; }
}
