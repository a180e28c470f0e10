using RabbitMQ.Client;
using Retry.Messaging.Cli.Commands.Plans;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>What a command says that moves parked messages: before, on the way, and at its end.</summary>
internal sealed class ParkedMoveAnswer(CliHost host, ParkedMove.Verb verb, ParkedPlace place, bool json)
{
    private ReplayDestination? _destination;
    private Plan? _plan;

    // a replay or a discard of an error queue is no plan
    private bool HasNoSet => place.IsErrorQueue && verb.Action != PlanAction.Adopt;

    /// <summary>Whether it writes JSON.</summary>
    public bool IsJson => json;

    /// <summary>Notes where the messages go.</summary>
    public void GoesTo(ReplayDestination destination) => _destination = destination;

    /// <summary>Notes the plan, which exists from now on.</summary>
    public void Begins(Plan plan) => _plan = plan;

    /// <summary>Says for whom it waits.</summary>
    public void Waits(string whom) => host.Error.WriteLine($"{RetryCtl.Name}: note: {Printable.Line(whom)}");

    /// <summary>Says how many messages are left out.</summary>
    public void KeptBack(int count) =>
        host.Error.WriteLine($"{RetryCtl.Name}: note: {Printable.Messages(count)} {(count == 1 ? "is" : "are")} left out, because a cancelled plan may have sent {(count == 1 ? "it" : "them")} ('retryctl plans list'). --may-have-been-sent takes {(count == 1 ? "it" : "them")}, too.");

    /// <summary>The question that comes before.</summary>
    /// <param name="tally">What was counted.</param>
    /// <param name="set">The messages.</param>
    /// <param name="how">Where they go, how they are changed, and how fast, as far as it was said.</param>
    public string QuestionOf(ParkedTally tally, LotSet set, string how) =>
        $"{char.ToUpperInvariant(verb.Name[0])}{verb.Name[1..]} {Printable.Messages(tally.Count)} of '{place.Name}' ({tally}{SetOf("; set ", set)}){ErrorQueueAnswer.Destinations(" to ", ErrorQueueAnswer.ToQueues(verb, place, tally))}{how}";

    /// <summary>Says that nothing can be moved while another plan is open.</summary>
    public void IsReserved(Plan open) =>
        host.Error.WriteLine($"{RetryCtl.Name}: note: plan {open.Id} was not finished, and nothing else can be moved until it is: 'retryctl plans resume {open.Id}' or 'retryctl plans cancel {open.Id}'.");

    private string SetOf(string before, LotSet set, string after = "") => HasNoSet ? string.Empty : $"{before}{set.Hash}{after}";

    /// <summary>Writes what would be done.</summary>
    public void WriteDryRun(ParkedTally tally, LotSet set)
    {
        var queues = ErrorQueueAnswer.ToQueues(verb, place, tally);
        if (json)
        {
            JsonOutput.WriteLine(
                host.Out,
                new ParkedMoveDocument(verb.Name, place.Name, Plan: null, DryRun: true, tally.Count, tally.ByReason, Interrupted: false, Error: null)
                {
                    Hash = tally.Count == 0 || HasNoSet ? null : set.Hash,
                    ByQueue = queues,
                });
            return;
        }

        host.Out.WriteLine(Printable.Wrap(
            string.Empty,
            tally.Count == 0 ? $"Dry run: no parked message of '{place.Name}' would be moved."
            : $"Dry run: would {verb.Name} {Printable.Messages(tally.Count)} of '{place.Name}': {tally}.{SetOf(" Set ", set, ".")}{ErrorQueueAnswer.Destinations(" To ", queues, ".")}",
            host.Width));
    }

    /// <summary>Writes a plan down for a service, and says who is there.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> DetachAsync(
        IConnection connection,
        Func<IProgress<ParkingProgress>, IAsyncEnumerable<ParkedMessage>> write,
        CancellationToken cancellationToken)
    {
        await ProgressDisplay.RunAsync(host, $"Reading {place.Queue}", async report =>
        {
            await foreach (var message in write(new ReadingProgress(report)).ConfigureAwait(false))
            {
                throw new InvalidOperationException($"Message '{message.Id}' was moved, wanted nothing to be.");
            }
        }).ConfigureAwait(false);
        return await DetachedPlan.SayAsync(host, connection, _plan, place.Name, json, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Moves, and says what was moved.</summary>
    /// <param name="lot">Where from.</param>
    /// <param name="tally">Counts.</param>
    /// <param name="move">Moves.</param>
    /// <param name="shown">What a preview has shown; <see langword="null"/> where there was none.</param>
    /// <param name="cancellationToken">Ends it in good order.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> MoveAsync(
        IParkingLot lot,
        ParkedTally tally,
        Func<IProgress<ParkingProgress>, IAsyncEnumerable<ParkedMessage>> move,
        LotSet? shown,
        CancellationToken cancellationToken)
    {
        var end = await MoveEnd.RunAsync(host, $"{verb.Ing} {place.Queue}", move, tally.Add, cancellationToken).ConfigureAwait(false);
        var queues = ErrorQueueAnswer.ToQueues(verb, place, tally);
        var stayed = (lot as ErrorQueues)?.WithoutDestination;
        if (json)
        {
            JsonOutput.WriteLine(
                host.Out,
                new ParkedMoveDocument(verb.Name, place.Name, _plan?.Id, DryRun: false, tally.Count, tally.ByReason, end.Interrupted, end.Failure?.Message)
                {
                    Hash = _plan?.Hash,
                    ByQueue = queues,
                    WithoutDestination = stayed,
                });
        }
        else
        {
            host.Out.WriteLine(Printable.Wrap(
                string.Empty,
                (tally.Count == 0 ? $"{verb.Done} nothing of '{place.Name}'" : $"{verb.Done} {Printable.Messages(tally.Count)} of '{place.Name}': {tally}")
                + (_plan is null || tally.Count == 0 ? "." : $". Plan {_plan.Id}.") + ErrorQueueAnswer.Destinations(" To ", queues, "."),
                host.Width));
        }

        if (shown is { Count: > 0 and var gone } && end is { Interrupted: false, Failure: null })
        {
            host.Error.WriteLine($"{RetryCtl.Name}: note: {Printable.Messages(gone)} of those that were shown {(gone == 1 ? "was" : "were")} gone, because another operator or a service has moved {(gone == 1 ? "it" : "them")}.");
        }

        if (_destination?.Note is { } note && tally.Count > 0)
        {
            host.Error.WriteLine($"{RetryCtl.Name}: note: {note}");
        }

        var exitCode = end.Fail(host, place.IsErrorQueue ? $"in '{place.Name}'" : "parked", _plan?.Id)
            ?? (stayed is { IsEmpty: false } ? ErrorQueueAnswer.FailStayed(host, place, stayed) : ParkedAnswer.ReportMissing(host, place, tally));
        return exitCode == ExitCode.Done && _destination is { IsDeserted: true } && tally.Count > 0 ? ExitCode.Finding : exitCode;
    }
}
