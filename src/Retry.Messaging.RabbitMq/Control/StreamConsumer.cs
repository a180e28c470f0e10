using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>Reads a stream on a channel, one record after the other.</summary>
/// <remarks>
/// Nothing is removed from a stream, but its records are deliveries like any others: without an acknowledgement the credit runs dry, and
/// the broker's consumer timeout closes the channel. One tells of many records, and none waits for longer than <see cref="Latest"/>.
/// </remarks>
#pragma warning disable CA1001 // a semaphore without a wait handle has nothing to dispose of
internal sealed class StreamConsumer(IChannel channel, Action<StreamRecord> read, Func<Task> cancelled, TimeProvider time) : AsyncDefaultBasicConsumer(channel)
#pragma warning restore CA1001
{
    /// <summary>How long a record may go without its acknowledgement: far less than any consumer timeout.</summary>
    public static readonly TimeSpan Latest = TimeSpan.FromSeconds(1);

    private const string OffsetName = "x-stream-offset";

    // one acknowledgement for many records: what is left of the credit keeps them coming
    private const int PartsOfCredit = 4;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _acknowledging = new(1, 1);
    private string? _tag;
    private int _every = 1;
    private int _unacknowledged;
    private ulong _read;
    private int _isTimed;
    private volatile bool _isOver;

    /// <summary>Gets a value indicating whether records are acknowledged.</summary>
    public bool Acknowledges { get; init; } = true;

    /// <summary>Begins to read.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="offset">Where: <c>first</c> or <c>last</c>.</param>
    /// <param name="prefetch">How many records may be on their way at once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task StartAsync(string stream, string offset, ushort prefetch, CancellationToken cancellationToken)
    {
        _every = Math.Max(1, prefetch / PartsOfCredit);
        await Channel.BasicQosAsync(0, prefetch, global: false, cancellationToken).ConfigureAwait(false);
        _tag = await Channel.BasicConsumeAsync(
            stream,
            autoAck: false,
            string.Empty,
            noLocal: false,
            exclusive: false,
            new Dictionary<string, object?> { [OffsetName] = offset },
            this,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends reading; returns when no further record is handled, because the client hands them over in order.</summary>
    public async Task StopAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        // an acknowledgement on a channel that is being closed ends the whole connection (504); one that cannot be written is not waited for
        _isOver = true;
        await _acknowledging.WaitAsync(cancellationToken).WaitAsync(atMost, time, cancellationToken).ConfigureAwait(false);
        _acknowledging.Release();
        if (_tag is { } tag && Channel.IsOpen)
        {
            _tag = null;
            await Channel.BasicCancelAsync(tag, noWait: false, cancellationToken).ConfigureAwait(false);
            await _ended.Task.WaitAsync(atMost, time, cancellationToken).ConfigureAwait(false);
        }
    }

    public override async Task HandleBasicDeliverAsync(
        string consumerTag,
        ulong deliveryTag,
        bool redelivered,
        string exchange,
        string routingKey,
        IReadOnlyBasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken = default)
    {
        var offset = properties.Headers?.TryGetValue(OffsetName, out var value) == true && value is long number ? number : -1;
        read(new StreamRecord(offset, properties, body.ToArray()));
        Volatile.Write(ref _read, deliveryTag);
        if (!Acknowledges)
        {
            return;
        }

        if (Interlocked.Increment(ref _unacknowledged) >= _every)
        {
            await AcknowledgeAsync().ConfigureAwait(false);
        }
        else if (Interlocked.Exchange(ref _isTimed, 1) == 0)
        {
            _ = AcknowledgeLaterAsync();
        }
    }

    public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default) => cancelled();

    protected override Task OnCancelAsync(string[] consumerTags, CancellationToken cancellationToken = default)
    {
        _ended.TrySetResult();
        return base.OnCancelAsync(consumerTags, cancellationToken);
    }

    private async Task AcknowledgeLaterAsync()
    {
        await Task.Delay(Latest, time, CancellationToken.None).ConfigureAwait(false);

        // before what it tells of: a record that comes meanwhile is told of by this one or by the next
        Volatile.Write(ref _isTimed, 0);
        try
        {
            await AcknowledgeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            // whoever reads is told that the channel has ended
        }
    }

    private async Task AcknowledgeAsync()
    {
        await _acknowledging.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_isOver && Channel.IsOpen && Interlocked.Exchange(ref _unacknowledged, 0) > 0)
            {
                await Channel.BasicAckAsync(Volatile.Read(ref _read), multiple: true, CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            _acknowledging.Release();
        }
    }
}
