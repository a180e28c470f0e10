using System.Collections.Concurrent;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>The settings of all points: a stream of whole documents, read from the first record and then live.</summary>
/// <remarks>
/// A stream has one order for all readers, which decides between two operators: a document counts when its version is one
/// higher than the last that counted, so the second of two made from the same one does not. A reader knows that it has
/// read all when it meets a record that it wrote itself. Nothing is ever removed: a record has some 300 bytes.
/// </remarks>
internal sealed class SettingsStream : IAsyncDisposable
{
    private const ushort Prefetch = 500;
    private const string StreamOffset = "x-stream-offset";

    private readonly IConnection _connection;
    private readonly ConfirmedPublisher _publisher;
    private readonly Action _changed;
    private readonly ConcurrentDictionary<string, PointRecords> _points = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<bool>> _own = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(2);

    private IChannel? _channel;
    private Reader? _reader;
    private string _readerTag = string.Empty;
    private bool _closing;

    private SettingsStream(IConnection connection, Action changed)
    {
        _connection = connection;
        _publisher = new ConfirmedPublisher(connection);
        _changed = changed;
    }

    /// <summary>Gets why the stream can no longer be read, or null while it can.</summary>
    public string? Failure { get; private set; }

    /// <summary>Starts to read from the first record.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="changed">Called after each record, and when reading ends.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LimiterException">The stream cannot be had.</exception>
    public static async Task<SettingsStream> OpenAsync(IConnection connection, Action changed, CancellationToken cancellationToken)
    {
        var stream = new SettingsStream(connection, changed);
        try
        {
            await stream.StartAsync(cancellationToken).ConfigureAwait(false);
            return stream;
        }
        catch (OperationInterruptedException exception)
        {
            throw new LimiterException($"The settings in '{BrokerNames.SettingsStream}' cannot be read: {exception.ShutdownReason?.ReplyText}. Nothing is released without them; check the queue and the user's permissions.", exception);
        }
    }

    /// <summary>The setting of a point as far as it has been read.</summary>
    /// <exception cref="LimiterException">The last one makes no sense.</exception>
    public LimiterSetting SettingOf(string point) => _points.TryGetValue(point, out var records) ? records.Current() : new LimiterSetting { Point = point };

    /// <summary>Why the setting of a point is not known, or null.</summary>
    public string? WhyUnreadable(string point) => _points.TryGetValue(point, out var records) ? records.WhyUnreadable : null;

    /// <summary>The last setting of a point that makes sense, to make the next one from.</summary>
    public LimiterSetting LastReadable(string point) => _points.TryGetValue(point, out var records) ? records.LastReadable : new LimiterSetting { Point = point };

    /// <summary>The instance that last said it was the active one.</summary>
    public LimiterNode? LastActive(string point) => _points.TryGetValue(point, out var records) ? records.LastActive : null;

    /// <summary>What the last instance to start said of itself.</summary>
    public LimiterNode? LastStarted(string point) => _points.TryGetValue(point, out var records) ? records.LastStarted : null;

    /// <summary>All points that something is known about.</summary>
    public IReadOnlyCollection<string> Points => [.. _points.Keys];

    /// <summary>Writes a document, and waits until all that stands before it, and it, are read.</summary>
    /// <returns>Whether it counts; not, when somebody else wrote one in between.</returns>
    public Task<bool> WriteAsync(LimiterSetting setting, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid().ToString("N");
        return WriteAsync(id, SettingsRecord.Write(setting, id), cancellationToken);
    }

    /// <summary>Writes what an instance says of itself, and waits until all that stands before it is read.</summary>
    public Task WriteAsync(LimiterNode node, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid().ToString("N");
        return WriteAsync(id, SettingsRecord.Write(node, id), cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _closing = true;
        await _publisher.DisposeAsync().ConfigureAwait(false);
        if (_channel is not { } channel)
        {
            return;
        }

        try
        {
            // an acknowledgement on a channel that is being closed ends the whole connection (504), so the reader ends first
            if (_reader is { } reader && channel.IsOpen)
            {
                await channel.BasicCancelAsync(_readerTag, noWait: false, CancellationToken.None).ConfigureAwait(false);
                await reader.Ended.WaitAsync(CloseTime, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is AlreadyClosedException or OperationInterruptedException or IOException or ObjectDisposedException or TimeoutException or OperationCanceledException)
        {
            // closed already
        }

        await channel.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<bool> WriteAsync(string id, (BasicProperties Properties, byte[] Body) record, CancellationToken cancellationToken)
    {
        var read = _own[id] = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _publisher.PublishAsync(string.Empty, BrokerNames.SettingsStream, record.Properties, record.Body, cancellationToken).ConfigureAwait(false);
            await Task.WhenAny(read.Task, _failed.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
            return read.Task.IsCompletedSuccessfully ? await read.Task.ConfigureAwait(false) : throw new LimiterException(Failure!);
        }
        catch (PublishRefusedException exception)
        {
            throw new LimiterException($"The settings in '{BrokerNames.SettingsStream}' cannot be written: {exception.Message}", exception);
        }
        finally
        {
            _own.TryRemove(id, out _);
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var channel = _channel = await _connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        channel.ChannelShutdownAsync += (_, args) => FailAsync($"The settings in '{BrokerNames.SettingsStream}' can no longer be read: {args.ReplyText}");
        await channel.QueueDeclareAsync(
            BrokerNames.SettingsStream,
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?> { [Headers.XQueueType] = "stream" },
            cancellationToken: cancellationToken).ConfigureAwait(false);
        await channel.BasicQosAsync(0, Prefetch, global: false, cancellationToken).ConfigureAwait(false);
        _reader = new Reader(channel, this);
        _readerTag = await channel.BasicConsumeAsync(
            BrokerNames.SettingsStream,
            autoAck: false,
            string.Empty,
            noLocal: false,
            exclusive: false,
            new Dictionary<string, object?> { [StreamOffset] = "first" },
            _reader,
            cancellationToken).ConfigureAwait(false);
    }

    private Task FailAsync(string reason)
    {
        if (!_closing)
        {
            Failure ??= reason;
            _failed.TrySetResult();
            _changed();
        }

        return Task.CompletedTask;
    }

    private void Read(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var counts = true;
        if (SettingsRecord.PointOf(properties) is { } point)
        {
            var records = _points.GetOrAdd(point, static p => new PointRecords(p));
            switch (properties.Type)
            {
                case SettingsRecord.SettingType:
                    counts = records.Add(body);
                    break;

                case SettingsRecord.NodeType:
                    records.AddNode(SettingsRecord.ReadNode(body));
                    break;
            }
        }

        if (properties.MessageId is { } id && _own.TryGetValue(id, out var waiter))
        {
            waiter.TrySetResult(counts);
        }

        _changed();
    }

    /// <summary>What the records so far say about one point.</summary>
    private sealed class PointRecords(string point)
    {
        private volatile LimiterSetting _setting = new() { Point = point };
        private volatile LimiterException? _unreadable;

        public LimiterSetting LastReadable => _setting;

        public string? WhyUnreadable => _unreadable?.Message;

        public LimiterNode? LastActive { get; private set; }

        public LimiterNode? LastStarted { get; private set; }

        public LimiterSetting Current() => _unreadable is { } unreadable ? throw new LimiterException(unreadable.Message, unreadable) : _setting;

        public bool Add(ReadOnlyMemory<byte> body)
        {
            try
            {
                var setting = SettingsRecord.ReadSetting(point, body);
                // the first may have any number: a limiter that knew more writes it into a stream that was made anew. After one
                // that could not be read, its version is unknown too, and the next that can be read counts.
                var follows = setting.Version == _setting.Version + 1 || (_setting.Version == 0 || _unreadable is not null) && setting.Version > _setting.Version;
                if (!follows)
                {
                    return false;
                }

                _setting = setting;
                _unreadable = null;
                return true;
            }
            catch (LimiterException exception)
            {
                _unreadable = exception;
                return false;
            }
        }

        public void AddNode(LimiterNode? node)
        {
            if (node is { Active: true })
            {
                LastActive = node;
            }
            else if (node is not null)
            {
                LastStarted = node;
            }
        }
    }

    private sealed class Reader(IChannel channel, SettingsStream stream) : AsyncDefaultBasicConsumer(channel)
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Ends when no further record is handled: the client hands over in order.</summary>
        public Task Ended => _ended.Task;

        protected override Task OnCancelAsync(string[] consumerTags, CancellationToken cancellationToken = default)
        {
            _ended.TrySetResult();
            return base.OnCancelAsync(consumerTags, cancellationToken);
        }

        public override async Task HandleBasicDeliverAsync(string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
        {
            stream.Read(properties, body);
            // acknowledging is what a stream counts its credit by; nothing is removed
            await Channel.BasicAckAsync(deliveryTag, multiple: false, cancellationToken).ConfigureAwait(false);
        }

        public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default) =>
            stream.FailAsync($"The settings in '{BrokerNames.SettingsStream}' can no longer be read: the broker took the consumer away.");
    }
}
