using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>Sends recurring messages when their slots are due, as long as it is its turn.</summary>
/// <remarks>
/// The life of a slot:
/// <list type="number">
/// <item>Everybody reads the control log: what recurs, what operators said, and up to which slot each recurrence has come.</item>
/// <item>One has the turn (<see cref="IRecurrenceTurn"/>). Who gets it first reads the log to the end that it has then.</item>
/// <item>A slot is due: its message, whose id is derived from the slot, is published to the dispatcher, and confirmed.</item>
/// <item>The progress is appended to the log, with the version after the one that was read. Only then is the slot decided.</item>
/// <item>A kill between the two: the next one sends the slot again, under the same id and marked as a copy.</item>
/// </list>
/// </remarks>
internal sealed class RecurrenceSession(
    ControlLog log,
    RecurrenceBook book,
    IRecurrenceTurn turn,
    Func<OutcomeMessage, CancellationToken, Task> publish,
    WakeUp wakeUp,
    RecurrenceReporter reporter,
    string instance,
    TimeProvider time)
{
    // clocks are set, and machines sleep: no wait is longer
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private DateTimeOffset? _turnSince;

    /// <summary>Runs until it is cancelled.</summary>
    /// <exception cref="ControlException">The log cannot be followed, or the turn is gone.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if ((log.Failure ?? turn.Ended) is { } ended)
            {
                throw new ControlException(ended);
            }

            var wait = await turn.KeepAsync(cancellationToken).ConfigureAwait(false);
            if (turn.IsOurs)
            {
                await BeginTurnAsync(cancellationToken).ConfigureAwait(false);
                var next = await SendDueAsync(cancellationToken).ConfigureAwait(false) - time.GetUtcNow();
                wait = next < wait ? next.Value : wait;
            }

            wait = wait < LongestWait ? wait : LongestWait;
            await wakeUp.WaitAsync(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        }
    }

    // what a predecessor has recorded stands in the log, and may not have been read here yet
    private async Task BeginTurnAsync(CancellationToken cancellationToken)
    {
        if (_turnSince is null)
        {
            await log.CatchUpAsync(cancellationToken).ConfigureAwait(false);
            _turnSince = time.GetUtcNow();
            reporter.HasTurn();
        }
    }

    private async Task<DateTimeOffset?> SendDueAsync(CancellationToken cancellationToken)
    {
        var sent = await Task.WhenAll(book.All.Select(state => SendDueAsync(state, cancellationToken))).ConfigureAwait(false);
        return sent.Min();
    }

    private async Task<DateTimeOffset?> SendDueAsync(RecurrenceState state, CancellationToken cancellationToken)
    {
        reporter.Reads(state);
        var step = state.Decide(time.GetUtcNow());
        if (step.Messages.Count == 0)
        {
            return step.Next;
        }

        foreach (var message in step.Messages)
        {
            var built = RecurrenceMessages.Build(state.Name, state.Definition!.Message!, message, mayBeCopy: message.DueAt <= _turnSince, time.GetUtcNow());
            await publish(built, cancellationToken).ConfigureAwait(false);
        }

        var version = state.ProgressVersion + 1;
        var record = RecurrenceDocuments.Write(RecurrenceDocuments.ProgressKind, state.Name, version, step.Progress, instance, time.GetUtcNow());
        if (!await log.AppendAsync(record, cancellationToken).ConfigureAwait(false))
        {
            // somebody else has decided meanwhile: what stands in the log is read again
            reporter.WasOvertaken(state.Name);
            return time.GetUtcNow();
        }

        reporter.Sent(state.Name, step.Messages.Count);
        return step.Next;
    }
}
