using Retry.Messaging.Benchmarks.Reporting;

namespace Retry.Messaging.Benchmarks.Running;

/// <summary>Something that can be measured by its name.</summary>
internal interface IBenchmark
{
    /// <summary>Gets its name on the command line.</summary>
    string Name { get; }

    /// <summary>Gets what it measures, in a line.</summary>
    string Description { get; }

    /// <summary>Measures.</summary>
    Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken);
}
