using Microsoft.Extensions.Logging;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Counts what is cancelled, and says in the log which cancels did nothing.</summary>
internal sealed partial class CancelReporter(DispatchReporter reporter, TimeProvider time, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly CancelWatch _watch = new();

    /// <summary>Something was cancelled.</summary>
    public void Cancelled(Cancellation cancellation, bool isNew)
    {
        var due = ScheduleToken.DueOf(cancellation.Token);
        if (!isNew)
        {
            Count(CancelOutcome.Twice);
            LogTwice(cancellation.Token);
        }
        else if (due < cancellation.At)
        {
            Count(CancelOutcome.Late);
            LogTooLate(cancellation.Token, cancellation.At - due.Value);
        }
        else
        {
            Count(CancelOutcome.Recorded);
            lock (_lock)
            {
                if (due is { } ahead)
                {
                    _watch.Cancelled(cancellation.Token, ahead);
                }
            }
        }

        TellUnknown();
    }

    /// <summary>A message was not dispatched, because it was cancelled.</summary>
    public void Dropped(Guid token)
    {
        Count(CancelOutcome.Dropped);
        LogDropped(token);
        lock (_lock)
        {
            _watch.Met(token);
        }

        TellUnknown();
    }

    private void TellUnknown()
    {
        IReadOnlyList<Guid> unknown;
        lock (_lock)
        {
            unknown = _watch.Unknown(time.GetUtcNow());
        }

        foreach (var token in unknown)
        {
            Count(CancelOutcome.Unknown);
            LogUnknown(token);
        }
    }

    private void Count(string outcome) => ScheduleMetrics.Cancelled(reporter.Labels, outcome);

    [LoggerMessage(LogEvents.CancelledDropped, LogLevel.Debug, "The scheduled message {Token} ends here, because it was cancelled")]
    private partial void LogDropped(Guid token);

    [LoggerMessage(LogEvents.CancelledTwice, LogLevel.Information, "The scheduled message {Token} was cancelled once more")]
    private partial void LogTwice(Guid token);

    [LoggerMessage(LogEvents.CancelledTooLate, LogLevel.Information, "The scheduled message {Token} was cancelled {Late} after it was due; it may have been delivered")]
    private partial void LogTooLate(Guid token, TimeSpan late);

    [LoggerMessage(LogEvents.CancelledWithoutMessage, LogLevel.Information, "The scheduled message {Token} was cancelled, and none with this token has come; it may never have been scheduled here")]
    private partial void LogUnknown(Guid token);
}
