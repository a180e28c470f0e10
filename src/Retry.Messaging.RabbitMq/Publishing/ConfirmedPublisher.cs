using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>Publishes on a channel of its own; a publish is over when the broker has confirmed it.</summary>
/// <remarks>
/// It tracks confirms itself: the client's tracking writes a header into every message (x-dotnet-pub-seq-no) and throttles
/// at 64 outstanding confirms, and what we republish arrives as it was sent. There is no time-out on a confirm: while the
/// channel lives, the broker still answers, and publishing once more meanwhile would be a second copy.
/// </remarks>
internal sealed class ConfirmedPublisher : IAsyncDisposable
{
    /// <summary>How many publishes may wait for their confirm at once.</summary>
    public const int DefaultWindow = 1000;

    /// <summary>How long a publish that is on its way is still waited for when it is cancelled.</summary>
    /// <remarks>Given up at once, a delivery would go back although its outcome arrives: two chains from one message.</remarks>
    public static readonly TimeSpan CancelGrace = TimeSpan.FromSeconds(10);

    private readonly IConnection _connection;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _window;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private Generation? _current;
    private bool _disposed;

    public ConfirmedPublisher(IConnection connection, int window = DefaultWindow, TimeProvider? time = null)
    {
        _connection = connection;
        _time = time ?? TimeProvider.System;
        _window = new SemaphoreSlim(window, window);
        _connection.ConnectionBlockedAsync += OnBlockedAsync;
        _connection.ConnectionUnblockedAsync += OnUnblockedAsync;
    }

    /// <summary>Why the broker takes no publishes at the moment, for example <c>low on memory</c>.</summary>
    public string? BlockedReason { get; private set; }

    /// <summary>Publishes, mandatory, and waits for the confirm.</summary>
    /// <exception cref="PublishRefusedException">The broker refused or returned the message, or the channel closed: publish again.</exception>
    /// <exception cref="OperationCanceledException">
    /// Cancelled before the message was sent, or unconfirmed <see cref="CancelGrace"/> later: then it may or may not have been published.
    /// </exception>
    public async Task PublishAsync(string exchange, string routingKey, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        await _window.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var pending = await SendAsync(exchange, routingKey, properties, body, cancellationToken).ConfigureAwait(false);
            await WaitAsync(pending.Confirmed.Task, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _window.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        _connection.ConnectionBlockedAsync -= OnBlockedAsync;
        _connection.ConnectionUnblockedAsync -= OnUnblockedAsync;
        if (_current is { } current)
        {
            await current.Channel.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task WaitAsync(Task confirmed, CancellationToken cancellationToken)
    {
        try
        {
            await confirmed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException canceled)
        {
            try
            {
                await confirmed.WaitAsync(CancelGrace, _time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                throw new OperationCanceledException($"Cancelled, and not confirmed within {CancelGrace.TotalSeconds:0} s after it.", canceled, cancellationToken);
            }
        }
    }

    private async Task<Pending> SendAsync(string exchange, string routingKey, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (BlockedReason is { } reason)
            {
                // what is not sent cannot pile up in the socket and arrive twice when the alarm is over
                throw new PublishRefusedException($"The broker takes no publishes: {reason}. Free what it is short of; 'rabbitmqctl status' names the alarm.");
            }

            var generation = await OpenAsync(cancellationToken).ConfigureAwait(false);
            var pending = generation.Add(exchange, routingKey);
            try
            {
                // not cancellable: a publish cut off half-way would leave the sequence numbers unknown
                await generation.Channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, body, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                generation.Fail(new PublishRefusedException("The publish could not be sent.", exception));
                _current = null;
                await generation.Channel.DisposeAsync().ConfigureAwait(false);
                if (exception is not (AlreadyClosedException or OperationInterruptedException or IOException or ObjectDisposedException))
                {
                    throw;
                }
            }

            return pending;
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task<Generation> OpenAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_current is { Channel.IsOpen: true } open)
        {
            return open;
        }

        _current = null;
        try
        {
            var options = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false, outstandingPublisherConfirmationsRateLimiter: null);
            return _current = new Generation(await _connection.CreateChannelAsync(options, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception exception) when (exception is AlreadyClosedException or OperationInterruptedException or IOException or ObjectDisposedException)
        {
            throw new PublishRefusedException("No channel could be opened.", exception);
        }
    }

    private Task OnBlockedAsync(object sender, ConnectionBlockedEventArgs args)
    {
        BlockedReason = args.Reason;
        return Task.CompletedTask;
    }

    private Task OnUnblockedAsync(object sender, AsyncEventArgs args)
    {
        BlockedReason = null;
        return Task.CompletedTask;
    }

    /// <summary>One publish that waits for its confirm.</summary>
    private sealed class Pending(string exchange, string routingKey)
    {
        public TaskCompletionSource Confirmed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public (ushort Code, string Text)? Returned { get; set; }

        public bool WentTo(string toExchange, string withRoutingKey) =>
            routingKey == withRoutingKey && exchange == toExchange;

        public void Complete()
        {
            if (Returned is { } reason)
            {
                Confirmed.TrySetException(new PublishRefusedException($"Exchange '{exchange}' returned the message for '{routingKey}': {reason.Code} {reason.Text}.") { ReplyCode = reason.Code });
            }
            else
            {
                Confirmed.TrySetResult();
            }
        }
    }

    /// <summary>One life of the channel: its sequence numbers start at 1.</summary>
    private sealed class Generation
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<ulong, Pending> _outstanding = [];
        private ulong _oldest = 1;
        private ulong _next = 1;
        private Exception? _failure;

        public Generation(IChannel channel)
        {
            Channel = channel;
            channel.BasicAcksAsync += (_, args) => Settle(args.DeliveryTag, args.Multiple, refused: false);
            channel.BasicNacksAsync += (_, args) => Settle(args.DeliveryTag, args.Multiple, refused: true);
            channel.BasicReturnAsync += OnReturnAsync;
            channel.ChannelShutdownAsync += (_, args) =>
            {
                Fail(new PublishRefusedException($"The channel closed: {args.ReplyCode} {args.ReplyText}.") { ReplyCode = args.ReplyCode });
                return Task.CompletedTask;
            };
        }

        public IChannel Channel { get; }

        public Pending Add(string exchange, string routingKey)
        {
            var pending = new Pending(exchange, routingKey);
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

        public void Fail(Exception failure)
        {
            Pending[] lost;
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

            return Task.CompletedTask;
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
}
