using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Idempotency;

namespace Retry.Messaging.Cli.Commands.Once;

/// <summary><c>once stats</c>: how many keys each consumer has. Changes nothing.</summary>
internal static class OnceStatsCommand
{
    private const int NarrowestName = 24;

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "stats",
            "Counts the keys of each consumer: those that RUN under a lease, those whose lease ran out so that nobody knows whether their effect happened (UNSURE), DONE and FAILED ones, and how old the oldest is. Reads every key: some seconds with millions.");
        var store = StoreOptions.AddTo(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, store, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, Option<string?> option, CancellationToken cancellationToken)
    {
        var store = StoreOptions.Open(parsed, option, host, TimeSpan.MaxValue);
        await using var _ = store.ConfigureAwait(false);
        var stats = await store.Inspector.CountAsync(cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(GlobalOptions.Json))
        {
            foreach (var consumer in stats)
            {
                JsonOutput.WriteLine(host.Out, consumer);
            }
        }
        else if (stats.Count == 0)
        {
            host.Out.WriteLine("The store has no keys. It gets some with the first message of an idempotent consumer.");
        }
        else
        {
            WriteTable(host, stats);
        }

        return ExitCode.Done;
    }

    private static void WriteTable(CliHost host, IReadOnlyList<IdempotencyStats> stats)
    {
        var table = Tables.Create(host, ["RUN", "UNSURE", "DONE", "FAILED", "OLDEST"], ["CONSUMER"]);
        foreach (var consumer in stats)
        {
            Tables.AddRow(
                table,
                Printable.Count(consumer.Running),
                Printable.Count(consumer.Uncertain),
                Printable.Count(consumer.Done),
                Printable.Count(consumer.Failed),
                Printable.Age(host.Time.GetUtcNow() - consumer.Oldest),
                consumer.Consumer);
        }

        Tables.Write(host, table, NarrowestName);
    }
}
