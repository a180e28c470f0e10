using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Circuit;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>The channel of an endpoint, whose consumer can be taken away from the broker for a time and given back.</summary>
/// <remarks>
/// MassTransit does not notice: its consumer lives on, what it has begun it ends and acknowledges, and all else that belongs to the endpoint
/// goes on. A delivery that was already on its way goes back from here, so that none of MassTransit's filters and observers
/// sees it. One message is taken with a prefetch of one and the consumer is taken away before that begins, so no other waits behind it. Each
/// consumer has a new tag: a quorum queue still knows the last one while it owes an answer.
/// </remarks>
#pragma warning disable CA1001 // MassTransit disposes no contexts of a filter, and a semaphore without a wait handle holds nothing
internal sealed class EndpointIntake(ChannelContext context, Func<int> prefetch)
    : ScopeChannelContext(context, context.CancellationToken), ChannelContext, IIntake
#pragma warning restore CA1001
{
    private readonly ChannelContext _context = context;
    private readonly SemaphoreSlim _one = new(1, 1);
    private Func<string, CancellationToken, Task<string>>? _consume;
    private string? _tag;
    private volatile bool _isOver;
    private volatile One? _taking;
    private volatile bool _isClosed;

    /// <inheritdoc/>
    public Task CloseAsync(CancellationToken cancellationToken)
    {
        _isClosed = true;
        return ChangeAsync(begins: false, cancellationToken);
    }

    /// <inheritdoc/>
    public Task OpenAsync(CancellationToken cancellationToken)
    {
        _isClosed = false;
        return ChangeAsync(begins: true, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task TakeOneAsync(Action<ulong> taken, CancellationToken cancellationToken)
    {
        var taking = new One(taken);
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isOver || _consume is null)
            {
                return;
            }

            await CancelAsync(cancellationToken).ConfigureAwait(false);
            _taking = taking;
            await ConsumeAsync(1, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }

        try
        {
            await taking.Ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _taking = null;
        }
    }

    async Task<string> ChannelContext.BasicConsume(
        string queue,
        bool noAck,
        bool exclusive,
        IDictionary<string, object> arguments,
        IAsyncBasicConsumer consumer,
        string consumerTag,
        CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var watched = new Consumer(this, consumer);
            _consume = (tag, token) => _context.BasicConsume(queue, noAck, exclusive, arguments, watched, tag, token);
            if (!_isClosed)
            {
                return _tag = await _consume(consumerTag, cancellationToken).ConfigureAwait(false);
            }

            // the endpoint is ready, and takes nothing yet
            await watched.HandleBasicConsumeOkAsync(string.Empty, cancellationToken).ConfigureAwait(false);
            return string.Empty;
        }
        finally
        {
            _one.Release();
        }
    }

    async Task ChannelContext.BasicCancel(string consumerTag, CancellationToken cancellationToken)
    {
        _isOver = true;
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await CancelAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task ChangeAsync(bool begins, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isOver || _consume is null)
            {
                return;
            }

            await CancelAsync(cancellationToken).ConfigureAwait(false);
            if (begins)
            {
                await ConsumeAsync((ushort)prefetch(), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task ConsumeAsync(ushort atOnce, CancellationToken cancellationToken)
    {
        await _context.BasicQos(0, atOnce, false, cancellationToken).ConfigureAwait(false);
        _tag = await _consume!(string.Empty, cancellationToken).ConfigureAwait(false);
    }

    private async Task CancelAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _tag, null) is { } tag)
        {
            await _context.BasicCancel(tag, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DeliverAsync(ulong deliveryTag, Func<Task> deliver, CancellationToken cancellationToken)
    {
        var taking = _taking;
        if (!_isClosed || _isOver)
        {
            await deliver().ConfigureAwait(false);
        }
        else if (taking?.TryTake() == true)
        {
            try
            {
                await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    // it may have been opened meanwhile, with another consumer
                    if (ReferenceEquals(_taking, taking))
                    {
                        await CancelAsync(cancellationToken).ConfigureAwait(false);
                    }
                }
                finally
                {
                    _one.Release();
                }

                taking.Taken(deliveryTag);
                await deliver().ConfigureAwait(false);
            }
            finally
            {
                taking.Ended.TrySetResult();
            }
        }
        else
        {
            await _context.BasicNack(deliveryTag, multiple: false, requeue: true, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>One delivery that is waited for.</summary>
    private sealed class One(Action<ulong> taken)
    {
        private int _isTaken;

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool TryTake() => Interlocked.Exchange(ref _isTaken, 1) == 0;

        public void Taken(ulong tag) => taken(tag);
    }

    private sealed class Consumer(EndpointIntake intake, IAsyncBasicConsumer consumer) : ForwardingConsumer(consumer)
    {
        private int _hasBegun;

        public override Task HandleBasicCancelOkAsync(string consumerTag, CancellationToken cancellationToken = default) =>
            intake._isOver ? base.HandleBasicCancelOkAsync(consumerTag, cancellationToken) : Task.CompletedTask;

        public override Task HandleBasicConsumeOkAsync(string consumerTag, CancellationToken cancellationToken = default) =>
            Interlocked.Exchange(ref _hasBegun, 1) == 0 ? base.HandleBasicConsumeOkAsync(consumerTag, cancellationToken) : Task.CompletedTask;

        public override Task HandleBasicDeliverAsync(
            string consumerTag,
            ulong deliveryTag,
            bool redelivered,
            string exchange,
            string routingKey,
            IReadOnlyBasicProperties properties,
            ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default) => intake.DeliverAsync(
                deliveryTag,
                () => base.HandleBasicDeliverAsync(consumerTag, deliveryTag, redelivered, exchange, routingKey, properties, body, cancellationToken),
                cancellationToken);
    }
}
