using MassTransit;
using MassTransit.Context;
using MassTransit.Middleware.Outbox;
using Retry.Messaging.Idempotency;
using Retry.Messaging.MassTransit.Filters;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>The consume context of an idempotent consumer: what it sends is collected, and it can enlist its own writes.</summary>
internal sealed class IdempotentContext<TMessage> : ConsumeContextProxy<TMessage>, IIdempotentRun, MessageRedeliveryContext, ISaidOutcomes, IAsyncDisposable
    where TMessage : class
{
    private readonly ConsumeContext<TMessage> _context;
    private readonly IIdempotencyStore _store;
    private readonly SemaphoreSlim _enlisting = new(1, 1);
    private bool _hasEnded;

    public IdempotentContext(ConsumeContext<TMessage> context, IIdempotencyStore store, Func<SendContext, bool> isDuplicate, TimeProvider time)
        : base(context)
    {
        _context = context;
        _store = store;
        Collection = new AnswerCollection(context, isDuplicate, time);
        ReceiveContext = new OutboxReceiveContext(Collection, context.ReceiveContext);
        PublishEndpointProvider = ReceiveContext.PublishEndpointProvider;
    }

    /// <summary>What the consumer sent.</summary>
    public AnswerCollection Collection { get; }

    /// <summary>The consumer's transaction, once it has asked for one.</summary>
    public IdempotencyTransaction? Transaction { get; private set; }

    /// <summary>What the consumer said of its attempt, if this run stands.</summary>
    public SaidOutcome? Said { get; private set; }

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
        Said = null;
        if (Transaction is { } begun)
        {
            Transaction = null;
            await begun.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary><c>context.Redeliver(delay)</c></summary>
    public Task ScheduleRedelivery(TimeSpan delay, Action<ConsumeContext, SendContext>? callback = null)
    {
        AttemptContext.RefuseCallback(callback);
        Say(new SaidOutcome.Redeliver(delay));
        return Task.CompletedTask;
    }

    /// <summary>Takes it down, to pass it on when the run has ended: what starts over may say something else.</summary>
    public void Say(SaidOutcome said)
    {
        if (_hasEnded)
        {
            _context.GetPayload<ISaidOutcomes>().Say(said);
        }

        Said = said;
    }

    /// <summary>The run stands: what was said in it is said of the attempt.</summary>
    public void PassOn()
    {
        _hasEnded = true;
        if (Said is { } said)
        {
            Say(said);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StartOverAsync().ConfigureAwait(false);
        _enlisting.Dispose();
    }
}
