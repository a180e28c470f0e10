using RabbitMQ.Client;
using Retry.Messaging.Configuration;
using Retry.Messaging.State;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Tells whether the work queue takes more: the cap is on what its consumers see.</summary>
/// <remarks>
/// Released into a queue that nobody consumes, messages would pile up and reach the target all at once when its consumers
/// come back. A queue that does not exist is open: what is released leaves for the lost queue. The looks go on beside the
/// releases: the broker's answer takes milliseconds, and a message that waited for it would come late every time.
/// </remarks>
internal sealed class WorkQueueGate(QueueLook look, LimiterOptions options, RedeliveryPacer pacer, LimiterMonitor monitor, WakeUp wakeUp, TimeProvider time)
{
    /// <summary>How often a queue is looked at while messages wait for it.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private const double SecondsAhead = 2;
    private static readonly TimeSpan Stale = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CountPause = TimeSpan.FromSeconds(5);

    private Task<QueueDeclareOk?>? _looking;
    private bool _open;
    private long _lookedAt;
    private long _countedAt;

    /// <summary>Forgets what was seen: somebody else released in between.</summary>
    public void Close() => _open = false;

    /// <summary>Whether a message may be released now, as far as the last look told; starts the next one when it is time.</summary>
    /// <param name="limit">The rate in force.</param>
    /// <param name="next">The message that waits.</param>
    /// <param name="cancellationToken">Gives up looking.</param>
    public async Task<bool> IsOpenAsync(RedeliveryLimit limit, LimitedDelivery next, CancellationToken cancellationToken)
    {
        if (_looking is { IsCompleted: true } done)
        {
            _looking = null;
            var found = await done.ConfigureAwait(false);
            var closed = found is null ? null : WhyClosed(found, limit);
            _lookedAt = time.GetTimestamp();
            if (closed is null && !_open)
            {
                // what already lies there reaches the consumers at once
                pacer.AssumeUsed(found?.MessageCount ?? 0);
            }

            _open = closed is null;
            if (closed is not null)
            {
                monitor.Waits(closed);
            }
        }

        if (_looking is null && (_lookedAt == 0 || time.GetElapsedTime(_lookedAt) >= Pause))
        {
            _looking = LookAsync(next, cancellationToken);
        }

        return _open && time.GetElapsedTime(_lookedAt) < Stale;
    }

    private string? WhyClosed(QueueDeclareOk found, RedeliveryLimit limit)
    {
        var most = Math.Max(SecondsAhead * limit.PerSecond, Math.Max(options.ConsumerPrefetch, 1));
        return found.ConsumerCount == 0 ? "the work queue has no consumer"
            : found.MessageCount > most ? $"the work queue has more than {most:0} ready: {found.MessageCount}"
            : null;
    }

    private async Task<QueueDeclareOk?> LookAsync(LimitedDelivery next, CancellationToken cancellationToken)
    {
        try
        {
            var found = await look.FindAsync(options.Names.Work, cancellationToken).ConfigureAwait(false);
            if (_countedAt == 0 || time.GetElapsedTime(_countedAt) >= CountPause)
            {
                _countedAt = time.GetTimestamp();
                var waiting = await look.FindAsync(options.Names.Release, cancellationToken).ConfigureAwait(false);
                monitor.Sees(waiting?.MessageCount ?? 0, RetryHeaderReader.Read(next.Properties.Headers, options.Names.Work).DueAt);
            }

            return found;
        }
        finally
        {
            wakeUp.Set();
        }
    }
}
