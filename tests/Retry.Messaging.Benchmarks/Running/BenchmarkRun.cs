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
            foreach (var benchmark in benchmarks)
            {
                var context = new BenchmarkContext(broker, rounds, messages, text => Report($"{benchmark.Name}: {text}"));
                var result = await benchmark.RunAsync(context, cancellationToken);
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

            return Done;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Interrupted;
        }
        catch (Exception exception) when (exception is BrokerUnavailableException or BenchmarkException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return CouldNotRun;
        }
    }

    // standard error, so that a pipe gets tables or JSON and nothing else
    private static void Report(string text) => Console.Error.WriteLine(text);
}
