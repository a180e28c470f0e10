using System.Diagnostics;
using System.Globalization;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Testing;

namespace Retry.Messaging.Benchmarks.Running;

/// <summary>One run: a broker, the benchmarks one after the other, their tables as soon as they are known.</summary>
internal sealed class BenchmarkRun(IReadOnlyList<IBenchmark> benchmarks, int rounds, int? messages, bool json, string? markdown)
{
    private const int Done = 0;
    private const int CouldNotRun = 1;
    private const int Interrupted = 130;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            Report("starting a broker");
            await using var broker = await PrivateBroker.StartAsync(cancellationToken: cancellationToken);
            var machine = MachineDescription.Now(broker.Version);
            List<BenchmarkResult> results = [];
            List<(string Name, TimeSpan Took)> durations = [];
            foreach (var benchmark in benchmarks)
            {
                var context = new BenchmarkContext(broker, rounds, messages, text => Report($"{benchmark.Name}: {text}"));
                var started = Stopwatch.GetTimestamp();
                if (await TryAsync(benchmark, context, cancellationToken) is not { } result)
                {
                    continue;
                }

                durations.Add((benchmark.Name, Stopwatch.GetElapsedTime(started)));
                Report(string.Create(CultureInfo.InvariantCulture, $"{benchmark.Name}: took {durations[^1].Took.TotalSeconds:0} s"));
                results.Add(result);
                var where = machine.Line(rounds, result.Others);
                if (!json)
                {
                    TerminalReport.Write(result, where);
                }

                if (markdown is not null)
                {
                    await MarkdownReport.WriteAsync(markdown, result, where, cancellationToken);
                }
            }

            if (json)
            {
                Console.WriteLine(JsonReport.Write(results, machine));
            }

            foreach (var (name, took) in durations)
            {
                Report(string.Create(CultureInfo.InvariantCulture, $"{took.TotalSeconds,6:0} s  {name}"));
            }

            Report(string.Create(CultureInfo.InvariantCulture, $"{durations.Sum(benchmark => benchmark.Took.TotalSeconds),6:0} s  together"));
            return results.Count == benchmarks.Count ? Done : CouldNotRun;
        }
#pragma warning disable CA1031 // what a stop cuts off ends in whatever its library makes of that
        catch (Exception) when (cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return Interrupted;
        }
        catch (BrokerUnavailableException exception)
        {
            Report(exception.Message);
            return CouldNotRun;
        }
    }

    // what one benchmark found wrong keeps no other from running; the exit code tells
    private static async Task<BenchmarkResult?> TryAsync(IBenchmark benchmark, BenchmarkContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await benchmark.RunAsync(context, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is BenchmarkException or RabbitMQClientException or TimeoutException or IOException or InvalidOperationException)
        {
            context.Report($"no figure: {exception.Message}");
            return null;
        }
    }

    // standard error, so that a pipe gets tables or JSON and nothing else
    private static void Report(string text) => Console.Error.WriteLine(text);
}
