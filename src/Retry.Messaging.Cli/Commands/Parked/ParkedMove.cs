using System.CommandLine;
using System.Globalization;
using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>What replay and discard have in common: choose, show, ask, move, report; and report also when cut short.</summary>
internal sealed class ParkedMove
{
    private readonly CliHost _host;
    private readonly Verb _verb;
    private readonly SelectionOptions _selection;
    private readonly MoveOptions _options;

    private readonly Option<string?> _point = new("--to") { Description = "The work queue in whose parking lot they come to lie. The default is the error queue's name without its suffix.", HelpName = "POINT" };
    private readonly ChangeOptions? _changes;

    private ParkedMove(Command command, CliHost host, Verb verb, SelectionOptions selection)
    {
        _host = host;
        _verb = verb;
        _selection = selection;
        _options = new MoveOptions(command, verb.AsksEvenForIds, verb.Action != PlanAction.Adopt);
        _changes = verb.Action == PlanAction.Replay ? new ChangeOptions(command) : null;
        if (verb.Action == PlanAction.Adopt)
        {
            command.Options.Add(_point);
        }
    }

    /// <summary>Gives a command its options and its action.</summary>
    public static void AddTo(Command command, CliHost host, Verb verb, SelectionOptions selection) =>
        command.SetAction(new ParkedMove(command, host, verb, selection).RunAsync);

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var place = _selection.PlaceOf(parsed);
        var ids = _selection.Ids(parsed);
        var filter = _selection.ExplicitFilterOf(parsed, _host.Time.GetUtcNow());
        var given = _options.Of(parsed);
        var changes = _changes?.Of(parsed, place, ids) ?? ChangeOptions.Given.Nothing;
        var point = PointOf(parsed, place);
        var json = parsed.GetValue(GlobalOptions.Json);
        if (given.Detach && (given.DryRun || place.IsErrorQueue))
        {
            throw new UsageException($"Found --detach beside {(given.DryRun ? "--dry-run" : "--queue")}, wanted one of them.");
        }

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
            var preview = await PreviewAsync(connection, lot, place, filter, given, point, tally, cancellationToken).ConfigureAwait(false);
            if (preview.KeptBack > 0)
            {
                answer.KeptBack(preview.KeptBack);
            }

            if (preview.Open is { } open)
            {
                answer.IsReserved(open);
            }

            // what was shown is what is moved, not what has been parked since
            filter = filter with { Shown = preview.Set };
            if (given.DryRun)
            {
                answer.WriteDryRun(tally, preview.Set);
                return ParkedAnswer.ReportMissing(_host, place, tally);
            }

            var question = answer.QuestionOf(tally, preview.Set, HowOf(changes, given, point));
            if (tally.Count > 0 && !await Question.IsAgreedAsync(_host, question, cancellationToken).ConfigureAwait(false))
            {
                return RetryCtl.Fail(_host, ExitCode.Failed, "The answer was not yes, so nothing was changed.");
            }
        }

        var terms = new PlanTerms(_verb.Action) { PerSecond = given.PerSecond, ErrorQueue = place.IsErrorQueue ? place.Name : null };
        var order = new PlanOrder(ReplayOptions.NewId(), terms)
        {
            By = _host.Operator,
            StaysOpen = true,
            Detaches = given.Detach,
            TakesDoubtful = given.MayHaveBeenSent,
            Waits = answer.Waits,
            KeepsBack = answer.KeptBack,
            Begins = answer.Begins,
        };
        if (changes.Edit && await EditedMessage.EditAsync(_host, lot, place.Name, ids[0], cancellationToken).ConfigureAwait(false) is { } edited)
        {
            order = order with { Body = edited.Body };
            filter = filter with { Shown = edited.Set };
        }

        var options = new ReplayOptions
        {
            PlanId = order.Id,
            PerSecond = given.PerSecond,
            To = changes.To,
            SetHeaders = changes.Headers,
            Order = order,
            DestinationFound = answer.GoesTo,
        };
        return given.Detach
            ? await answer.DetachAsync(connection, Move, cancellationToken).ConfigureAwait(false)
            : await answer.MoveAsync(lot, new ParkedTally(ids), Move, filter.Shown, cancellationToken).ConfigureAwait(false);

        IAsyncEnumerable<ParkedMessage> Move(IProgress<ParkingProgress> progress) => (lot, _verb.Action) switch
        {
            (ErrorQueues errors, PlanAction.Adopt) => errors.AdoptAsync(place.Name, point, filter, order, progress, cancellationToken),
            (_, PlanAction.Replay) => lot.ReplayAsync(place.Name, filter, options, progress, cancellationToken),
            (ParkingLot parking, _) => parking.RunAsync(place.Name, filter, order, answer.GoesTo, progress, cancellationToken),
            _ => lot.DiscardAsync(place.Name, filter, progress, cancellationToken),
        };
    }

    private string HowOf(ChangeOptions.Given changes, MoveOptions.Given given, string point) =>
        (_verb.Action switch
        {
            PlanAction.Discard => " for good",
            PlanAction.Adopt => $" into the parking lot of '{point}'",
            _ => changes.InWords,
        })
        + (given.PerSecond is { } rate ? string.Create(CultureInfo.InvariantCulture, $", at {rate:0.######} a second") : string.Empty);

    private string PointOf(ParseResult parsed, ParkedPlace place)
    {
        if (_verb.Action != PlanAction.Adopt)
        {
            return place.Name;
        }

        var point = parsed.GetValue(_point) ?? ErrorQueues.PointOf(place.Name)
            ?? throw new UsageException($"'{place.Name}' does not tell whose error queue it is, wanted --to with the work queue of a point.");
        return RetryPointNames.For(point).WhyUnusable(hasRelease: false) is { } why ? throw new UsageException($"{_point.Name}: {why}") : point;
    }

    private async Task<PlanPreview> PreviewAsync(
        IConnection connection,
        IParkingLot lot,
        ParkedPlace place,
        ParkedFilter filter,
        MoveOptions.Given given,
        string point,
        ParkedTally tally,
        CancellationToken cancellationToken)
    {
        var preview = new PlanPreview(connection, _host.Time);
        await ProgressDisplay.RunAsync(_host, $"Counting {place.Queue}", async report =>
        {
            var listed = lot.ListAsync(place.Name, filter, new ReadingProgress(report), cancellationToken);
            var plansOf = given.MayHaveBeenSent || (place.IsErrorQueue && _verb.Action != PlanAction.Adopt) ? null : point;
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
