using System.CommandLine;
using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lost;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Lost;

/// <summary><c>lost replay [ID…|--queue QUEUE|--all]</c>: sends lost messages on to where they were going.</summary>
internal static class LostReplayCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "replay",
            "Sends lost messages on to their queues, with the attempts they have. Messages whose queue is still missing stay. Ctrl-C ends it in good order, so no message is lost or sent twice.");
        var selection = SelectionOptions.LostIdsAndConditions(command, withIds: true);
        var yes = new Option<bool>("--yes") { Description = "Do not ask. Where ids are given, retryctl never asks." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count what would be done." };
        command.Options.Add(yes);
        command.Options.Add(dryRun);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, selection, parsed.GetValue(yes), parsed.GetValue(dryRun), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        SelectionOptions selection,
        bool yes,
        bool dryRun,
        CancellationToken cancellationToken)
    {
        var ids = selection.Ids(parsed);
        var filter = selection.ExplicitFilterOf(parsed, host.Time.GetUtcNow());
        var json = parsed.GetValue(GlobalOptions.Json);
        var mustAsk = !yes && !dryRun && ids.Length == 0;
        if (mustAsk && (json || !host.InIsTerminal))
        {
            throw new UsageException($"{Question.WhyImpossible(json)} To see first what 'replay' would do, use --dry-run.");
        }

        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        if (dryRun || mustAsk)
        {
            var preview = new LostTally();
            var shown = new LotSet();
            await foreach (var message in new LostMessages(connection, host.Time).ListAsync(filter, progress: null, cancellationToken).ConfigureAwait(false))
            {
                preview.Add(message);
                shown.Add(message);
            }

            filter = filter with { Shown = shown };

            if (dryRun)
            {
                Report(host, json, preview, plan: null, dryRun: true, interrupted: false, new Dictionary<string, long>(), error: null);
                return ReportMissing(host, ids, preview);
            }

            if (preview.Count > 0 && !await Question.IsAgreedAsync(
                host,
                $"Replay {Printable.Messages(preview.Count)} ({preview})",
                cancellationToken).ConfigureAwait(false))
            {
                return RetryCtl.Fail(host, ExitCode.Failed, "The answer was not yes, so nothing was changed.");
            }
        }

        return await MoveAsync(host, connection, filter, ids, json, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<int> MoveAsync(
        CliHost host,
        IConnection connection,
        ParkedFilter filter,
        string[] ids,
        bool json,
        CancellationToken cancellationToken)
    {
        var plan = new ReplayOptions().PlanId;
        var tally = new LostTally();
        var lost = new LostMessages(connection, host.Time);
        var end = await MoveEnd.RunAsync(
            host,
            $"Replaying {BrokerNames.LostQueue}",
            progress => lost.ReplayAsync(filter, plan, progress, cancellationToken),
            tally.Add,
            cancellationToken).ConfigureAwait(false);
        Report(host, json, tally, tally.Count == 0 ? null : plan, dryRun: false, end.Interrupted, lost.WithoutDestination, end.Failure?.Message);
        if (end.Fail(host, $"in '{BrokerNames.LostQueue}'") is { } exitCode)
        {
            return exitCode;
        }

        return lost.WithoutDestination.IsEmpty
            ? ReportMissing(host, ids, tally)
            : RetryCtl.Fail(
                host,
                ExitCode.Failed,
                $"Found no queue {string.Join(", ", lost.WithoutDestination.OrderBy(queue => queue.Key, StringComparer.Ordinal).Select(queue => $"'{queue.Key}' for {Printable.Messages(queue.Value)}"))}; they stay in '{BrokerNames.LostQueue}'. Start the service that owns the queue, then run this command again.");
    }

    private static void Report(
        CliHost host,
        bool json,
        LostTally tally,
        string? plan,
        bool dryRun,
        bool interrupted,
        IReadOnlyDictionary<string, long> withoutDestination,
        string? error)
    {
        if (json)
        {
            JsonOutput.WriteLine(
                host.Out,
                new LostMoveDocument("replay", BrokerNames.LostQueue, plan, dryRun, tally.Count, tally.ByQueue, withoutDestination, interrupted, error));
            return;
        }

        host.Out.WriteLine(
            tally.Count == 0 ? (dryRun ? "Dry run: no lost message would be replayed." : "Replayed nothing.")
            : dryRun ? $"Dry run: would replay {Printable.Messages(tally.Count)}: {tally}."
            : $"Replayed {Printable.Messages(tally.Count)}: {tally}. Plan {plan}.");
    }

    private static int ReportMissing(CliHost host, string[] ids, LostTally tally)
    {
        var missing = ids.Where(id => !tally.Ids.Contains(id)).Order(StringComparer.Ordinal).ToList();
        return missing.Count == 0
            ? ExitCode.Done
            : RetryCtl.Fail(
                host,
                ExitCode.Failed,
                $"Found no lost message with id {string.Join(", ", missing)}. A service or another operator may have replayed it, or may be reading the queue now. Run 'retryctl lost list'.");
    }
}
