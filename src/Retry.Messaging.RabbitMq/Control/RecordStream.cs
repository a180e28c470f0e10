using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>A stream of RabbitMQ, on a connection that somebody else owns.</summary>
/// <remarks>
/// The end of a stream is found by a second consumer, which begins at its last chunk. A chunk is handed over whole, so the
/// answer to a command that is sent after its first record comes after its last one. The number of messages that a passive
/// declaration tells is no end: on 3.10 it lags behind by seconds.
/// While a stream is being declared the broker shows it, but a client that consumes from it then loses the connection (541) or is
/// told that it has no replica. So an empty stream is left alone for a moment before it is first used.
/// </remarks>
internal sealed class RecordStream(IConnection connection, string name, StreamRetention retention, TimeProvider time) : IRecordStream
{
    private const ushort Prefetch = 1000;
    // more than one chunk holds, so that none waits for an acknowledgement
    private const ushort LastChunk = 20_000;
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstRecord = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan NoRecord = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DeclarationTime = TimeSpan.FromMilliseconds(500);

    private readonly ConfirmedPublisher _publisher = new(connection, time: time);
    private StreamConsumer? _consumer;
    private bool _isSettled;
    private bool _closing;

    public string Name => name;

    public async Task DeclareAsync(CancellationToken cancellationToken)
    {
        try
        {
            var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            await using var ends = channel.ConfigureAwait(false);
            await channel.QueueDeclareAsync(
                name,
                durable: true,
                exclusive: false,
                autoDelete: false,
                retention.Arguments(),
                cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception)
        {
            throw new ControlException(
                $"Stream '{name}' cannot be declared: {exception.ShutdownReason?.ReplyText ?? exception.Message}. Connect once as a user who may configure the stream.",
                exception);
        }
    }

    public async Task<bool> FollowAsync(Action<StreamRecord> read, Action<string> failed, CancellationToken cancellationToken)
    {
        if (!await SettleAsync(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        var once = new Once(failed);
        var consumer = new StreamConsumer(channel, read, () => FailAsync(once, "the broker took the consumer away"), time);
        try
        {
            await consumer.StartAsync(name, "first", Prefetch, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
            return exception switch
            {
                OperationInterruptedException { ShutdownReason.ReplyCode: Constants.NotFound } => false,
                OperationInterruptedException refused => throw Unreadable(refused),
                _ => throw new ControlException($"Stream '{name}' cannot be read: {exception.Message}", exception),
            };
        }

        _consumer = consumer;
        channel.ChannelShutdownAsync += (_, args) => FailAsync(once, args.ReplyText);
        if (!channel.IsOpen)
        {
            // it closed before this handler was added
            await FailAsync(once, channel.CloseReason?.ReplyText).ConfigureAwait(false);
        }

        return true;
    }

    public async Task<long?> FindEndAsync(CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using var ends = channel.ConfigureAwait(false);
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        long? end = null;
        var consumer = new StreamConsumer(channel, Read, () => Task.CompletedTask, time) { Acknowledges = false };
        try
        {
            var isEmpty = (await channel.QueueDeclarePassiveAsync(name, cancellationToken).ConfigureAwait(false)).MessageCount == 0;
            await consumer.StartAsync(name, "last", LastChunk, cancellationToken).ConfigureAwait(false);
            await first.Task.WaitAsync(isEmpty ? NoRecord : FirstRecord, time, cancellationToken).ConfigureAwait(false);
            await consumer.StopAsync(FirstRecord, cancellationToken).ConfigureAwait(false);
            return end;
        }
        catch (TimeoutException)
        {
            return end;
        }
        catch (OperationInterruptedException exception)
        {
            throw Unreadable(exception);
        }

        void Read(StreamRecord record)
        {
            end = record.Offset;
            first.TrySetResult();
        }
    }

    public async Task AppendAsync(BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        try
        {
            if (!await SettleAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new ControlException($"The broker did not take a record for stream '{name}', because there is no such stream. Connect once as a user who may configure the stream.");
            }

            await _publisher.PublishAsync(string.Empty, name, properties, body, cancellationToken).ConfigureAwait(false);
        }
        catch (PublishRefusedException exception)
        {
            throw new ControlException($"The broker did not take a record for stream '{name}': {exception.Message}", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _closing = true;
        await _publisher.DisposeAsync().ConfigureAwait(false);
        if (_consumer is { } consumer)
        {
            try
            {
                await consumer.StopAsync(CloseTime, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
            {
                // closed already
            }

            await consumer.Channel.DisposeAsync().ConfigureAwait(false);
        }
    }

    // whether there is a stream whose declaration is over
    private async Task<bool> SettleAsync(CancellationToken cancellationToken)
    {
        if (_isSettled)
        {
            return true;
        }

        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using var ends = channel.ConfigureAwait(false);
        try
        {
            if ((await channel.QueueDeclarePassiveAsync(name, cancellationToken).ConfigureAwait(false)).MessageCount == 0)
            {
                await Task.Delay(DeclarationTime, time, cancellationToken).ConfigureAwait(false);
            }

            return _isSettled = true;
        }
        catch (OperationInterruptedException exception)
        {
            return exception.ShutdownReason?.ReplyCode == Constants.NotFound ? false : throw Unreadable(exception);
        }
    }

    private Task FailAsync(Once failed, string? reason)
    {
        if (!_closing)
        {
            failed.Call($"Stream '{name}' can no longer be read: {reason ?? "the channel closed"}.");
        }

        return Task.CompletedTask;
    }

    private ControlException Unreadable(OperationInterruptedException exception) =>
        new(
            $"Stream '{name}' cannot be read: {exception.ShutdownReason?.ReplyText ?? exception.Message}. Check the stream ('rabbitmqctl list_queues name type state') and the user's permissions.",
            exception);

    private sealed class Once(Action<string> action)
    {
        private int _called;

        public void Call(string reason)
        {
            if (Interlocked.Exchange(ref _called, 1) == 0)
            {
                action(reason);
            }
        }
    }
}
