using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Cancelling;

/// <summary>Cancels for an operator, and tells what is known of the token.</summary>
/// <param name="connection">A connection to the virtual host. The caller disposes it.</param>
/// <param name="time">The clock.</param>
internal sealed class CancellationControl(IConnection connection, TimeProvider time)
{
    /// <summary>Cancels. When it returns, the broker has confirmed it.</summary>
    /// <exception cref="ControlException">The stream is missing, cannot be read or takes no records.</exception>
    public async Task<CancelResult> CancelAsync(Guid token, CancellationToken cancellationToken)
    {
        var stream = new RecordStream(connection, BrokerNames.CancelledStream, CancellationLog.Retention, time);
        var listener = new Listener();
        var log = await CancellationLog.OpenAsync(stream, isDispatcher: false, listener, time, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        var due = ScheduleToken.DueOf(token);
        if (due is not null && log.Has(token, askedAt: null))
        {
            return CancelResult.CancelledBefore;
        }

        var now = time.GetUtcNow();
        await stream.AppendAsync(CancellationRecords.One(new Cancellation(token, now)), default, cancellationToken).ConfigureAwait(false);
        return due is null ? CancelResult.Unknown : due <= now ? CancelResult.TooLate : CancelResult.Cancelled;
    }

    private sealed class Listener : ICancellationObserver
    {
        public void Cancelled(Cancellation cancellation, bool isNew)
        {
        }

        public void Waits(string reason)
        {
        }

        public void Failed(string reason)
        {
        }
    }
}
