using System.Collections.Concurrent;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Holding;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What the release queue has given on a channel: taken in advance, kept in order, until it is released or given back.</summary>
/// <remarks>The loop of a session owns it; only arrivals come from the client.</remarks>
internal sealed class ReleaseIntake(IChannel channel, string queue, HoldTime hold, WakeUp wakeUp, Action<string> cancelled, TimeProvider time)
{
    private readonly ConcurrentQueue<LimitedDelivery> _arrived = new();
    private readonly LinkedList<LimitedDelivery> _waiting = [];
    private readonly SortedSet<ulong> _unacknowledged = [];
    private readonly List<ulong> _done = [];
    private int _released;
    private ReleaseConsumer? _consumer;
    private string? _tag;

    /// <summary>Gets a value indicating whether the queue is consumed.</summary>
    public bool Consumes => _tag is not null;

    /// <summary>Gets the message that goes next, or null.</summary>
    public LimitedDelivery? First => _waiting.First?.Value;

    /// <summary>Stands in line for the queue; the broker gives its messages to the first in line.</summary>
    public async Task StartAsync(ushort prefetch)
    {
        await channel.BasicQosAsync(0, prefetch, global: false, CancellationToken.None).ConfigureAwait(false);
        _consumer = new ReleaseConsumer(channel, Arrived, cancelled, time);
        _tag = await channel.BasicConsumeAsync(
            queue,
            autoAck: false,
            string.Empty,
            noLocal: false,
            exclusive: false,
            ConsumerPatience.Asked(hold),
            _consumer,
            CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Stands back. What was given stays here, and no more comes.</summary>
    public async Task StopAsync(TimeSpan atMost)
    {
        if (_tag is { } tag)
        {
            _tag = null;
            await channel.BasicCancelAsync(tag, noWait: false, CancellationToken.None).ConfigureAwait(false);
            await _consumer!.Ended.WaitAsync(atMost, time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Takes in what has arrived.</summary>
    public void TakeIn()
    {
        while (_arrived.TryDequeue(out var delivery))
        {
            _unacknowledged.Add(delivery.Tag);
            _waiting.AddLast(delivery);
        }
    }

    /// <summary>Takes out the message that goes now.</summary>
    public void RemoveFirst() => _waiting.RemoveFirst();

    /// <summary>Puts a message back to its place, since it did not get through.</summary>
    public void PutBack(LimitedDelivery delivery)
    {
        var later = _waiting.First;
        while (later is not null && later.Value.Tag < delivery.Tag)
        {
            later = later.Next;
        }

        if (later is null)
        {
            _waiting.AddLast(delivery);
        }
        else
        {
            _waiting.AddBefore(later, delivery);
        }
    }

    /// <summary>Notes that a message is safe elsewhere.</summary>
    public void Done(LimitedDelivery delivery)
    {
        _unacknowledged.Remove(delivery.Tag);
        _done.Add(delivery.Tag);
        _released += delivery.Climb is null ? 1 : 0;
    }

    /// <summary>Acknowledges what is done, in one go where nothing older is held.</summary>
    /// <returns>How many of that reached the work queue.</returns>
    public async Task<int> AcknowledgeAsync()
    {
        if (_done.Count == 0)
        {
            return 0;
        }

        var highest = _done.Max();
        if (_unacknowledged.Count == 0 || highest < _unacknowledged.Min)
        {
            await channel.BasicAckAsync(highest, multiple: true, CancellationToken.None).ConfigureAwait(false);
        }
        else
        {
            foreach (var tag in _done)
            {
                await channel.BasicAckAsync(tag, multiple: false, CancellationToken.None).ConfigureAwait(false);
            }
        }

        var released = _released;
        _done.Clear();
        _released = 0;
        return released;
    }

    /// <summary>Gives back to the queue what has not been released.</summary>
    public async Task GiveBackAsync()
    {
        foreach (var delivery in _waiting)
        {
            _unacknowledged.Remove(delivery.Tag);
            await channel.BasicNackAsync(delivery.Tag, multiple: false, requeue: true, CancellationToken.None).ConfigureAwait(false);
        }

        _waiting.Clear();
    }

    private void Arrived(LimitedDelivery delivery)
    {
        _arrived.Enqueue(delivery);
        wakeUp.Set();
    }
}
