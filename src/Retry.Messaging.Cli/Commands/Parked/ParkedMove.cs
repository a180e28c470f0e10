using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>What replay and discard have in common: choose, show, ask, move, report; and report also when cut short.</summary>
internal static class ParkedMove
{
    /// <summary>Gives a command its options and its action.</summary>
    public static void AddTo(Command command, CliHost host, Verb verb)
    {
        var selection = SelectionOptions.QueueIdsAndConditions(command);
        var yes = new Option<bool>("--yes") { Description = verb.AsksEvenForIds ? "Do not ask." : "Do not ask. Where ids are given, retryctl never asks." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count what would be done." };
        command.Options.Add(yes);
        command.Options.Add(dryRun);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            host,
            parsed,
            verb,
            selection,
            parsed.GetValue(yes),
            parsed.GetValue(dryRun),
            cancellationToken));
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        Verb verb,
        SelectionOptions selection,
        bool yes,
        bool dryRun,
        CancellationToken cancellationToken)
    {
        var place = selection.PlaceOf(parsed);
        var ids = selection.Ids(parsed);
        var filter = selection.ExplicitFilterOf(parsed, host.Time.GetUtcNow());
        var json = parsed.GetValue(GlobalOptions.Json);
        var mustAsk = !yes && !dryRun && (verb.AsksEvenForIds || ids.Length == 0);
        if (mustAsk && (json || !host.InIsTerminal))
        {
            throw new UsageException($"{Question.WhyImpossible(json)} To see first what '{verb.Name}' would do, use --dry-run.");
        }

        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var lot = place.Open(connection, management, host.Time);
        if (dryRun || mustAsk)
        {
            var preview = new ParkedTally(ids);
            var shown = new LotSet();
            await CountAsync(host, lot, place, filter, preview, shown, cancellationToken).ConfigureAwait(false);
            // what was shown is what is moved, not what has been parked since
            filter = filter with { Shown = shown };
            if (dryRun)
            {
                WriteDryRun(host, verb, place, preview, json);
                return ParkedAnswer.ReportMissing(host, place, preview);
            }

            if (preview.Count > 0 && !await Question.IsAgreedAsync(
                host,
                $"{char.ToUpperInvariant(verb.Name[0])}{verb.Name[1..]} {Printable.Messages(preview.Count)} of '{place.Name}' ({preview}){ErrorQueueAnswer.Destinations(" to ", ErrorQueueAnswer.ToQueues(verb, place, preview))}",
                cancellationToken).ConfigureAwait(false))
            {
                return RetryCtl.Fail(host, ExitCode.Failed, "The answer was not yes, so nothing was changed.");
            }
        }

        return await MoveAsync(host, lot, verb, place, filter, ids, json, cancellationToken).ConfigureAwait(false);
    }

    private static async Task CountAsync(
        CliHost host,
        IParkingLot lot,
        ParkedPlace place,
        ParkedFilter filter,
        ParkedTally tally,
        LotSet shown,
        CancellationToken cancellationToken) =>
        await ProgressDisplay.RunAsync(host, $"Counting {place.Queue}", async report =>
        {
            await foreach (var message in lot.ListAsync(
                place.Name,
                filter,
                new ReadingProgress(report),
                cancellationToken).ConfigureAwait(false))
            {
                tally.Add(message);
                shown.Add(message);
            }
        }).ConfigureAwait(false);

    private static void WriteDryRun(CliHost host, Verb verb, ParkedPlace place, ParkedTally tally, bool json)
    {
        if (json)
        {
            JsonOutput.WriteLine(
                host.Out,
                new ParkedMoveDocument(verb.Name, place.Name, Plan: null, DryRun: true, tally.Count, tally.ByReason, Interrupted: false, Error: null)
                {
                    ByQueue = ErrorQueueAnswer.ToQueues(verb, place, tally),
                });
            return;
        }

        host.Out.WriteLine(
            tally.Count == 0 ? $"Dry run: no parked message of '{place.Name}' would be moved."
            : $"Dry run: would {verb.Name} {Printable.Messages(tally.Count)} of '{place.Name}': {tally}.{ErrorQueueAnswer.Destinations(" To ", ErrorQueueAnswer.ToQueues(verb, place, tally), ".")}");
    }

    private static async Task<int> MoveAsync(
        CliHost host,
        IParkingLot lot,
        Verb verb,
        ParkedPlace place,
        ParkedFilter filter,
        string[] ids,
        bool json,
        CancellationToken cancellationToken)
    {
        var tally = new ParkedTally(ids);
        var end = await MoveEnd.RunAsync(
            host,
            $"{verb.Ing} {place.Queue}",
            progress => verb.Move(lot, place.Name, filter, progress, cancellationToken),
            tally.Add,
            cancellationToken).ConfigureAwait(false);
        var plan = place.IsErrorQueue ? null : verb.PlanId;
        var queues = ErrorQueueAnswer.ToQueues(verb, place, tally);
        var stayed = (lot as ErrorQueues)?.WithoutDestination;
        if (json)
        {
            JsonOutput.WriteLine(
                host.Out,
                new ParkedMoveDocument(verb.Name, place.Name, plan, DryRun: false, tally.Count, tally.ByReason, end.Interrupted, end.Failure?.Message)
                {
                    ByQueue = queues,
                    WithoutDestination = stayed,
                });
        }
        else
        {
            host.Out.WriteLine(
                (tally.Count == 0 ? $"{verb.Done} nothing of '{place.Name}'" : $"{verb.Done} {Printable.Messages(tally.Count)} of '{place.Name}': {tally}")
                + (plan is null || tally.Count == 0 ? "." : $". Plan {plan}.") + ErrorQueueAnswer.Destinations(" To ", queues, "."));
        }

        if (filter.Shown is { Count: > 0 and var gone } && end is { Interrupted: false, Failure: null })
        {
            host.Error.WriteLine($"{RetryCtl.Name}: note: {Printable.Messages(gone)} of those that were shown {(gone == 1 ? "was" : "were")} gone, because another operator or a service has moved {(gone == 1 ? "it" : "them")}.");
        }

        var destination = verb.Destination?.Invoke();
        if (destination?.Note is { } note && tally.Count > 0)
        {
            host.Error.WriteLine($"{RetryCtl.Name}: note: {note}");
        }

        var exitCode = end.Fail(host, place.IsErrorQueue ? $"in '{place.Name}'" : "parked")
            ?? (stayed is { IsEmpty: false } ? ErrorQueueAnswer.FailStayed(host, place, stayed) : ParkedAnswer.ReportMissing(host, place, tally));
        return exitCode == ExitCode.Done && destination is { IsDeserted: true } && tally.Count > 0 ? ExitCode.Finding : exitCode;
    }

    /// <summary>One of the two things that can be done with parked messages.</summary>
    internal sealed record Verb(
        string Name,
        string Ing,
        string Done,
        bool AsksEvenForIds,
        string? PlanId,
        Func<IParkingLot, string, ParkedFilter, IProgress<ParkingProgress>, CancellationToken, IAsyncEnumerable<ParkedMessage>> Move)
    {
        /// <summary>Where the messages went; null where they went nowhere.</summary>
        public Func<ReplayDestination?>? Destination { get; init; }
    }
}
