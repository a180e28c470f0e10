using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>Decision, headers and routing key by BenchmarkDotNet.</summary>
internal sealed class Decisions : IBenchmark
{
    private const int WarmUps = 4;

    public string Name => "decisions";

    public string Description => "Decision, headers and routing key (BenchmarkDotNet; ns and bytes)";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        context.Report("BenchmarkDotNet works for about half a minute");
        var config = ManualConfig.CreateEmpty()
            // in this process: another one would have to be restored and built first
            .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(WarmUps).WithIterationCount(context.Rounds).WithIterationTime(Perfolizer.Horology.TimeInterval.FromMilliseconds(250)))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddLogger(NullLogger.Instance)
            .WithOptions(ConfigOptions.DisableLogFile | ConfigOptions.DisableOptimizationsValidator)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), $"retry-benchmark-{Environment.ProcessId}"));
        Summary summary;
        try
        {
            // it cannot be cancelled: somebody who stops the run does not wait for it
            summary = await Task.Run(() => BenchmarkRunner.Run<FailureSteps>(config), cancellationToken).WaitAsync(cancellationToken);
        }
        finally
        {
            if (Directory.Exists(config.ArtifactsPath))
            {
                Directory.Delete(config.ArtifactsPath, recursive: true);
            }
        }

        if (summary.HasCriticalValidationErrors || summary.Reports.Any(report => report.ResultStatistics is null))
        {
            throw new BenchmarkException("BenchmarkDotNet could not measure: " + string.Join(" ", summary.ValidationErrors.Select(error => error.Message)));
        }

        return new BenchmarkResult(
            Name,
            "Decision, headers, routing key",
            "What a failure costs before anything is sent, by BenchmarkDotNet in one process: one thread, warmed up, an exception that has been thrown once. Headers include the copy of the message's properties.",
            [.. summary.Reports.Select(Row)])
        {
            Targets = [new("decision + headers, µs", new Figure("µs", [.. summary.Reports.Single(report => Title(report) == FailureSteps.DecisionAndHeaders).ResultStatistics!.OriginalValues.Select(ns => ns / 1000)], 2), 2, 0.5)],
        };
    }

    private static ResultRow Row(BenchmarkReport report) => new(Title(report), [
        new Figure("ns", [.. report.ResultStatistics!.OriginalValues]),
        new Figure("bytes", [report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0])]);

    private static string Title(BenchmarkReport report) => report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\'');
}
