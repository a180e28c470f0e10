using RabbitMQ.Client;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Limiter.Pacing;

namespace Retry.Messaging.RabbitMq.Limiter.Gates;

/// <summary>Closed while the work queue has no consumer, or more messages than its consumers can take soon: the cap is on what they see.</summary>
/// <remarks>
/// Released into a queue that nobody consumes, messages would pile up and reach the target all at once when its consumers
/// come back. A queue that does not exist is open: what is released leaves for the lost queue. The looks go on beside the
/// releases: the broker's answer takes milliseconds, and a message that waited for it would come late every time.
/// A point without a rate needs no look.
/// </remarks>
/// <param name="look">Asks the broker for the work queue, and wakes the limiter when it has answered; <see langword="null"/> when there is
/// no such queue.</param>
/// <param name="prefetch">How many messages the consumers of the work queue take in advance.</param>
/// <param name="pacer">The rate.</param>
/// <param name="time">The clock.</param>
internal sealed class WorkQueueGate(Func<CancellationToken, Task<QueueDeclareOk?>> look, int prefetch, RedeliveryPacer pacer, TimeProvider time) : IReleaseGate
{
    private const double SecondsAhead = 2;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Stale = TimeSpan.FromSeconds(1);

    private Task<QueueDeclareOk?>? _looking;
    private bool _open;
    private string? _whyClosed;
    private long _began;
    private long _lookedAt;
    private long _resetAt;

    /// <summary>Forgets what was seen, because another limiter may have released in between. A look that is under way does not count.</summary>
    public void Reset() => (_open, _whyClosed, _resetAt) = (false, null, time.GetTimestamp());

    /// <inheritdoc/>
    /// <remarks>It answers by the last look, and starts the next one when it is time.</remarks>
    public async ValueTask<GateAnswer> AskAsync(CancellationToken cancellationToken)
    {
        if (pacer.Limit is not { } limit)
        {
            return GateAnswer.Open;
        }

        if (_looking is { IsCompleted: true } done)
        {
            _looking = null;
            Take(await done.ConfigureAwait(false), limit);
        }

        if (_looking is null && (_lookedAt == 0 || time.GetElapsedTime(_lookedAt) >= Pause))
        {
            _began = time.GetTimestamp();
            _looking = look(cancellationToken);
        }

        return _open && time.GetElapsedTime(_lookedAt) < Stale ? GateAnswer.Open : GateAnswer.Closed(Pause, _whyClosed);
    }

    private void Take(QueueDeclareOk? found, RedeliveryLimit limit)
    {
        // a look tells of the moment in which it began, however late its answer is taken in
        _lookedAt = _began < _resetAt ? 0 : _began;
        if (_lookedAt == 0)
        {
            return;
        }

        _whyClosed = found is null ? null : WhyClosed(found, limit);
        if (_whyClosed is null && !_open)
        {
            // another limiter may have released just now, and what already lies there reaches the consumers at once
            pacer.AssumeUsed(found?.MessageCount ?? 0);
        }

        _open = _whyClosed is null;
    }

    private string? WhyClosed(QueueDeclareOk found, RedeliveryLimit limit)
    {
        var most = Math.Max(SecondsAhead * limit.PerSecond, Math.Max(prefetch, 1));
        return found.ConsumerCount == 0 ? "the work queue has no consumer"
            : found.MessageCount > most ? $"the work queue has more than {most:0} ready: {found.MessageCount}"
            : null;
    }
}
