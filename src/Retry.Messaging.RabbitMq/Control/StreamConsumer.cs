using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>Reads a stream on a channel, one record after the other.</summary>
internal sealed class StreamConsumer(IChannel channel, Action<StreamRecord> read, Func<Task> cancelled) : AsyncDefaultBasicConsumer(channel)
{
    private const string OffsetName = "x-stream-offset";

    // one acknowledgement for many records: what is left of the credit keeps them coming
    private const int PartsOfCredit = 4;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _tag;
    private int _every = 1;
    private int _unacknowledged;

    /// <summary>Gets a value indicating whether records are acknowledged, which is what a stream counts its credit by. Nothing is removed.</summary>
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
    public async Task StopAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
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
        if (Acknowledges && ++_unacknowledged >= _every)
        {
            _unacknowledged = 0;
            await Channel.BasicAckAsync(deliveryTag, multiple: true, cancellationToken).ConfigureAwait(false);
        }
    }

    public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default) => cancelled();

    protected override Task OnCancelAsync(string[] consumerTags, CancellationToken cancellationToken = default)
    {
        _ended.TrySetResult();
        return base.OnCancelAsync(consumerTags, cancellationToken);
    }
}
