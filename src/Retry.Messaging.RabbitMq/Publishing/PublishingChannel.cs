using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>One channel of a publisher, and what was sent on it: its sequence numbers start at 1.</summary>
/// <remarks>
/// What is sent ends with the channel, whatever the client does then. The client queues frames, 128 at most, and when the loop that
/// writes them has died, a publish that waits for a place there waits for ever. It holds a semaphore of its channel, the client's
/// shutdown waits for that before it clears the queue, and every publish after it waits, too (RabbitMQ.Client 7.2.2, its issue 1930).
/// </remarks>
#pragma warning disable CA1001 // a source without a timer has nothing to dispose of
internal sealed class PublishingChannel
#pragma warning restore CA1001
{
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, PendingPublish> _outstanding = [];
    private ulong _oldest = 1;
    private ulong _next = 1;
    private Exception? _failure;
    private bool _retired;

    public PublishingChannel(IChannel channel)
    {
        Client = channel;
        channel.BasicAcksAsync += (_, args) => Settle(args.DeliveryTag, args.Multiple, refused: false);
        channel.BasicNacksAsync += (_, args) => Settle(args.DeliveryTag, args.Multiple, refused: true);
        channel.BasicReturnAsync += OnReturnAsync;
        channel.ChannelShutdownAsync += (_, args) =>
        {
            Fail(new PublishRefusedException($"The channel closed: {args.ReplyCode} {args.ReplyText}.") { ReplyCode = args.ReplyCode });
            return Task.CompletedTask;
        };
    }

    /// <summary>The client's channel.</summary>
    public IChannel Client { get; }

    /// <summary>Cancelled when the channel has ended.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Whether an exception says that the channel, or its connection, has ended.</summary>
    /// <remarks>What waits for a place in the client's queue of frames is cancelled by <see cref="Ended"/>.</remarks>
    public static bool IsItsEnd(Exception exception) =>
        BrokerFailures.IsGone(exception) || exception is OperationCanceledException;

    /// <summary>Notes a publish that is about to be sent.</summary>
    public PendingPublish Add(string exchange, string routingKey)
    {
        var pending = new PendingPublish(exchange, routingKey);
        lock (_lock)
        {
            if (_failure is not null)
            {
                pending.Confirmed.TrySetException(_failure);
            }
            else
            {
                _outstanding.Add(_next++, pending);
            }
        }

        return pending;
    }

    /// <summary>Ends all that is on its way: what has become of it is not known.</summary>
    public void Fail(Exception failure)
    {
        PendingPublish[] lost;
        lock (_lock)
        {
            _failure ??= failure;
            lost = [.. _outstanding.Values];
            _outstanding.Clear();
        }

        foreach (var pending in lost)
        {
            pending.Confirmed.TrySetException(failure);
        }

        // the client calls this before it waits for its semaphore
        _ = _ended.CancelAsync();
    }

    /// <summary>Takes no more: it closes when what is on its way has been answered.</summary>
    /// <param name="unsent">The publish that failed, the last one.</param>
    public void Retire(PendingPublish unsent)
    {
        lock (_lock)
        {
            // no number follows it: should it have been sent all the same, its confirm is taken for no other message's
            if (_outstanding.TryGetValue(_next - 1, out var last) && ReferenceEquals(last, unsent))
            {
                _outstanding.Remove(_next - 1);
            }

            _retired = true;
        }

        CloseWhenDone();
    }

    private Task Settle(ulong tag, bool multiple, bool refused)
    {
        lock (_lock)
        {
            if (multiple)
            {
                for (; _oldest <= tag; _oldest++)
                {
                    SettleOne(_oldest, refused);
                }
            }
            else
            {
                SettleOne(tag, refused);
            }
        }

        CloseWhenDone();
        return Task.CompletedTask;
    }

    private void CloseWhenDone()
    {
        lock (_lock)
        {
            if (!_retired || _outstanding.Count > 0)
            {
                return;
            }

            _retired = false;
        }

        _ = CloseAsync();
    }

    private async Task CloseAsync()
    {
        // not on the client's own loop, which has to read the broker's answer
        await Task.Yield();
        try
        {
            await Client.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (IsItsEnd(exception) || exception is TimeoutException)
        {
            // it was gone already
        }
    }

    private void SettleOne(ulong tag, bool refused)
    {
        if (!_outstanding.Remove(tag, out var pending))
        {
            return;
        }

        if (refused)
        {
            pending.Confirmed.TrySetException(new PublishRefusedException("The broker refused the message (nack): a queue it goes to is full or has no majority."));
        }
        else
        {
            pending.Complete();
        }
    }

    // A return comes before its confirm but carries no number. Whatever else is on its way to the same place comes back
    // as well, so all of them count as returned.
    private Task OnReturnAsync(object sender, BasicReturnEventArgs args)
    {
        lock (_lock)
        {
            foreach (var pending in _outstanding.Values)
            {
                if (pending.WentTo(args.Exchange, args.RoutingKey))
                {
                    pending.Returned = (args.ReplyCode, args.ReplyText);
                }
            }
        }

        return Task.CompletedTask;
    }
}
