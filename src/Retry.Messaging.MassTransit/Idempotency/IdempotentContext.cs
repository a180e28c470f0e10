using MassTransit;
using MassTransit.Context;
using MassTransit.Middleware.Outbox;
using Retry.Messaging.Idempotency;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>The consume context of an idempotent consumer: what it sends is collected, and it can enlist its own writes.</summary>
internal sealed class IdempotentContext<TMessage> : ConsumeContextProxy<TMessage>, IIdempotentRun, MessageRedeliveryContext, IAsyncDisposable
    where TMessage : class
{
    private readonly ConsumeContext<TMessage> _context;
    private readonly IIdempotencyStore _store;
    private readonly SemaphoreSlim _enlisting = new(1, 1);

    public IdempotentContext(ConsumeContext<TMessage> context, IIdempotencyStore store, TimeProvider time)
        : base(context)
    {
        _context = context;
        _store = store;
        Collection = new AnswerCollection(context, time);
        ReceiveContext = new OutboxReceiveContext(Collection, context.ReceiveContext);
        PublishEndpointProvider = ReceiveContext.PublishEndpointProvider;
    }

    /// <summary>What the consumer sent.</summary>
    public AnswerCollection Collection { get; }

    /// <summary>The consumer's transaction, once it has asked for one.</summary>
    public IdempotencyTransaction? Transaction { get; private set; }

    /// <summary>Whether the consumer asked to be run once more: then it has not ended.</summary>
    public bool IsRedeliveryAsked { get; private set; }

    /// <inheritdoc/>
    public async Task<IdempotencyTransaction> EnlistAsync(CancellationToken cancellationToken)
    {
        await _enlisting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return Transaction ??= await _store.BeginAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _enlisting.Release();
        }
    }

    /// <inheritdoc/>
    public async Task StartOverAsync()
    {
        Collection.Clear();
        IsRedeliveryAsked = false;
        if (Transaction is { } begun)
        {
            Transaction = null;
            await begun.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary><c>context.Redeliver(delay)</c></summary>
    public async Task ScheduleRedelivery(TimeSpan delay, Action<ConsumeContext, SendContext>? callback = null)
    {
        await _context.GetPayload<MessageRedeliveryContext>().ScheduleRedelivery(delay, callback).ConfigureAwait(false);
        IsRedeliveryAsked = true;
    }

    public async ValueTask DisposeAsync()
    {
        await StartOverAsync().ConfigureAwait(false);
        _enlisting.Dispose();
    }
}
