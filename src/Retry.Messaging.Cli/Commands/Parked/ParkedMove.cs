using System.CommandLine;
using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>What replay and discard have in common: choose, show, ask, move, report; and report also when cut short.</summary>
internal sealed class ParkedMove
{
    private readonly CliHost _host;
    private readonly Verb _verb;
    private readonly SelectionOptions _selection;
    private readonly MoveOptions _options;

    private ParkedMove(Command command, CliHost host, Verb verb)
    {
        _host = host;
        _verb = verb;
        _selection = SelectionOptions.QueueIdsAndConditions(command);
        _options = new MoveOptions(command, verb.AsksEvenForIds);
    }

    /// <summary>Gives a command its options and its action.</summary>
    public static void AddTo(Command command, CliHost host, Verb verb)
    {
        var move = new ParkedMove(command, host, verb);
        command.SetAction(move.RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var place = _selection.PlaceOf(parsed);
        var ids = _selection.Ids(parsed);
        var filter = _selection.ExplicitFilterOf(parsed, _host.Time.GetUtcNow());
        var given = _options.Of(parsed);
        var json = parsed.GetValue(GlobalOptions.Json);
        var mustAsk = !given.Yes && !given.DryRun && (_verb.AsksEvenForIds || ids.Length == 0);
        if (mustAsk && (json || !_host.InIsTerminal))
        {
            throw new UsageException($"{Question.WhyImpossible(json)} To see first what '{_verb.Name}' would do, use --dry-run.");
        }

        var address = GlobalOptions.RequireAddress(parsed, _host);
        using var management = GlobalOptions.ManagementOf(parsed, _host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var lot = place.Open(connection, management, _host.Time);
        var answer = new ParkedMoveAnswer(_host, _verb, place, json);
        if (given.DryRun || mustAsk)
        {
            var tally = new ParkedTally(ids);
            var preview = await PreviewAsync(connection, lot, place, filter, given, tally, cancellationToken).ConfigureAwait(false);
            if (preview.KeptBack > 0)
            {
                answer.KeptBack(preview.KeptBack);
            }

            // what was shown is what is moved, not what has been parked since
            filter = filter with { Shown = preview.Set };
            if (given.DryRun)
            {
                answer.WriteDryRun(tally, preview.Set);
                return ParkedAnswer.ReportMissing(_host, place, tally);
            }

            if (tally.Count > 0 && !await Question.IsAgreedAsync(_host, answer.QuestionOf(tally, preview.Set), cancellationToken).ConfigureAwait(false))
            {
                return RetryCtl.Fail(_host, ExitCode.Failed, "The answer was not yes, so nothing was changed.");
            }
        }

        var order = new PlanOrder(ReplayOptions.NewId(), new PlanTerms(_verb.Action) { PerSecond = given.PerSecond })
        {
            By = _host.Operator,
            StaysOpen = true,
            TakesDoubtful = given.MayHaveBeenSent,
            Waits = answer.Waits,
            KeepsBack = answer.KeptBack,
            Begins = answer.Begins,
        };
        return await answer.MoveAsync(
            lot,
            new ParkedTally(ids),
            progress => Move(lot, place, filter, order, answer, progress, cancellationToken),
            filter.Shown,
            cancellationToken).ConfigureAwait(false);
    }

    private static IAsyncEnumerable<ParkedMessage> Move(
        IParkingLot lot,
        ParkedPlace place,
        ParkedFilter filter,
        PlanOrder order,
        ParkedMoveAnswer answer,
        IProgress<ParkingProgress> progress,
        CancellationToken cancellationToken) => (lot, order.Terms.Action) switch
        {
            (ParkingLot parking, PlanAction.Discard) => parking.DiscardAsync(place.Name, filter, order, progress, cancellationToken),
            (_, PlanAction.Discard) => lot.DiscardAsync(place.Name, filter, progress, cancellationToken),
            _ => lot.ReplayAsync(
                place.Name,
                filter,
                new ReplayOptions { PlanId = order.Id, PerSecond = order.Terms.PerSecond, Order = order, DestinationFound = answer.GoesTo },
                progress,
                cancellationToken),
        };

    private async Task<PlanPreview> PreviewAsync(
        IConnection connection,
        IParkingLot lot,
        ParkedPlace place,
        ParkedFilter filter,
        MoveOptions.Given given,
        ParkedTally tally,
        CancellationToken cancellationToken)
    {
        var preview = new PlanPreview(connection, _host.Time);
        await ProgressDisplay.RunAsync(_host, $"Counting {place.Queue}", async report =>
        {
            var listed = lot.ListAsync(place.Name, filter, new ReadingProgress(report), cancellationToken);
            var plansOf = place.IsErrorQueue || given.MayHaveBeenSent ? null : place.Name;
            await foreach (var message in preview.ReadAsync(listed, plansOf, cancellationToken).ConfigureAwait(false))
            {
                tally.Add(message);
            }
        }).ConfigureAwait(false);
        return preview;
    }

    /// <summary>One of the things that can be done with parked messages.</summary>
    internal sealed record Verb(string Name, string Ing, string Done, bool AsksEvenForIds, PlanAction Action);
}
