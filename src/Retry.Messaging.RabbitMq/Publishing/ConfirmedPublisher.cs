using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

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
    private readonly BrokerAlarm _alarm;
    private readonly SemaphoreSlim _window;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private PublishingChannel? _current;
    private bool _opened;
    private bool _disposed;

    public ConfirmedPublisher(IConnection connection, int window = DefaultWindow, TimeProvider? time = null)
    {
        _connection = connection;
        _time = time ?? TimeProvider.System;
        _window = new SemaphoreSlim(window, window);
        _alarm = new BrokerAlarm(connection);
    }

    /// <summary>Whether another channel is opened when one has ended.</summary>
    public bool Reopens { get; init; } = true;

    /// <summary>Why the broker takes no publishes at the moment, for example <c>low on memory</c>.</summary>
    public string? BlockedReason => _alarm.Reason;

    /// <summary>Publishes, mandatory, and waits for the confirm.</summary>
    /// <exception cref="PublishRefusedException">The broker refused or returned the message, or the channel closed: publish again.</exception>
    /// <exception cref="OperationCanceledException">
    /// Cancelled before the message was sent, or unconfirmed <see cref="CancelGrace"/> later: then it may or may not have been published.
    /// </exception>
    public async Task PublishAsync(
        string exchange,
        string routingKey,
        BasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken)
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
        _alarm.Dispose();
        if (_current is { } current)
        {
            await current.Client.DisposeAsync().ConfigureAwait(false);
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
                throw new OperationCanceledException(
                    $"Cancelled, and not confirmed within {CancelGrace.TotalSeconds:0} s after it.",
                    canceled,
                    cancellationToken);
            }
        }
    }

    private async Task<PendingPublish> SendAsync(
        string exchange,
        string routingKey,
        BasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (BlockedReason is { } reason)
            {
                // what is not sent cannot pile up in the socket and arrive twice when the alarm is over
                throw new PublishRefusedException($"The broker takes no publishes: {reason}. Free what it is short of; 'rabbitmqctl status' names the alarm.");
            }

            var channel = await OpenAsync(cancellationToken).ConfigureAwait(false);
            var pending = channel.Add(exchange, routingKey);
            try
            {
                // not cancellable while the channel lives: a publish cut off half-way would leave the sequence numbers unknown
                await channel.Client.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, body, channel.Ended).ConfigureAwait(false);
            }
            catch (Exception exception) when (PublishingChannel.IsItsEnd(exception) || !channel.Client.IsOpen)
            {
                _current = null;
                channel.Fail(new PublishRefusedException("The publish could not be sent.", exception));
            }
            catch
            {
                // this message cannot be written; those before it are on their way, and published again they would be there twice
                _current = null;
                channel.Retire(pending);
                throw;
            }

            return pending;
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task<PublishingChannel> OpenAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_current is { Client.IsOpen: true } open)
        {
            return open;
        }

        if (_opened && !Reopens)
        {
            throw new PublishRefusedException("The channel has ended.");
        }

        _opened = true;
        _current = null;
        try
        {
            var options = new CreateChannelOptions(
                publisherConfirmationsEnabled: true,
                publisherConfirmationTrackingEnabled: false,
                outstandingPublisherConfirmationsRateLimiter: null);
            return _current = new PublishingChannel(await _connection.CreateChannelAsync(options, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception exception) when (PublishingChannel.IsItsEnd(exception) && !cancellationToken.IsCancellationRequested)
        {
            throw new PublishRefusedException("No channel could be opened.", exception);
        }
    }
}
