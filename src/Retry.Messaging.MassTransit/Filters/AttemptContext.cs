using System.Diagnostics.CodeAnalysis;
using MassTransit;
using MassTransit.Context;
using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.MassTransit.Faults;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>The consume context of one attempt: keeps the Fault back until the message is parked.</summary>
internal sealed class AttemptContext : ConsumeContextProxy, MessageRedeliveryContext, ISaidOutcomes, IAttempt, IDisposable
{
    private readonly ConsumeContext _context;
    private readonly RetryDelivery _delivery;
    private readonly TimeProvider _time;
    private readonly SaidOutcomeSlot _said = new();
    private ThrownExceptions? _thrown;
    private readonly CancellationTokenSource? _timeout;
    private readonly CancellationTokenSource? _linked;
    private IFaultedMessage? _message;
    private readonly Lazy<FormatException?> _envelopeProblem;
    private Exception? _unreadable;
    private Exception? _decidedOn;
    private RetryDecision? _decision;
    private SaidOutcome? _endedBy;
    private AttemptEnd? _end;

    public AttemptContext(ConsumeContext context, RetryDelivery delivery, TimeSpan? timeout, TimeProvider time)
        : base(context)
    {
        _context = context;
        _delivery = delivery;
        _time = time;
        Headers = new AttemptHeaders(context.Headers, delivery);
        ReceiveContext = new AttemptReceiveContext(context.ReceiveContext, delivery);
        _envelopeProblem = new Lazy<FormatException?>(FindEnvelopeProblem, LazyThreadSafetyMode.None);
        if (timeout is { } limit)
        {
            _timeout = new CancellationTokenSource(limit, time);
            _linked = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, _timeout.Token);
        }
    }

    public override CancellationToken CancellationToken => _linked?.Token ?? _context.CancellationToken;

    public override global::MassTransit.Headers Headers { get; }

    /// <summary>Whether the attempt was cut off by its own time-out.</summary>
    public bool TimedOut => _timeout?.IsCancellationRequested == true && !_context.CancellationToken.IsCancellationRequested;

    /// <summary>The type of the message as the consumer took it.</summary>
    public Type? MessageType => _message?.MessageType;

    /// <summary>How this attempt's outcome is decided on.</summary>
    public required AttemptDecisions Decisions { get; init; }

    /// <summary>The rules of its retry point.</summary>
    public required RetryRules Rules { get; init; }

    /// <summary>The delivery.</summary>
    public RetryDelivery Delivery => _delivery;

    /// <summary>Decides on an exception, once: a filter further outside that asks again hears the same.</summary>
    public RetryDecision Decide(Exception exception)
    {
        if (_decision is null || !ReferenceEquals(_decidedOn, exception))
        {
            (_decidedOn, _decision) = (exception, Decisions.Of(this, exception));
        }

        return _decision;
    }

    /// <summary>Decides on what the consumer said, once, as with an exception.</summary>
    public AttemptEnd EndOf(SaidOutcome said)
    {
        if (_end is null || !ReferenceEquals(_endedBy, said))
        {
            (_endedBy, _end) = (said, Decisions.Of(this, said));
        }

        return _end;
    }

    /// <summary>Whether an exception says that the message cannot be read as what its sender calls it.</summary>
    public bool IsUnreadable(Exception exception) =>
        (_unreadable is not null && ReferenceEquals(ExceptionLevels.Innermost(exception), ExceptionLevels.Innermost(_unreadable)))
        || (ExceptionLevels.Innermost(exception) is FormatException format
            && _envelopeProblem.Value is { } problem
            && HeaderText.Message(format) == problem.Message);

    /// <summary>Whether a requester waits for an answer. None can be answered where the envelope cannot be read.</summary>
    public bool IsRequest => _envelopeProblem.Value is null && RequestId is not null;

    public override bool TryGetMessage<T>([NotNullWhen(true)] out ConsumeContext<T> consumeContext)
    {
        try
        {
            if (!base.TryGetMessage(out consumeContext!))
            {
                return false;
            }
        }
        catch (Exception exception)
        {
            // the envelope could be read, the message in it not
            _unreadable = exception;
            throw;
        }

        _message ??= new FaultedMessage<T>(_context, consumeContext.Message);
        return true;
    }

    public override bool TryGetPayload<T>([NotNullWhen(true)] out T payload)
    {
        if (_delivery.Payload is T original)
        {
            payload = original;
            return true;
        }

        return base.TryGetPayload(out payload!);
    }

    /// <summary>Remembers which consumer faulted, and with what; nothing is published before the message is parked.</summary>
    /// <remarks>
    /// MassTransit sends its Fault here. A kill switch that trips earlier than it is told that the endpoint is ready never starts it
    /// again, and nothing being sent, it would: after a restart the first failure trips it.
    /// The Fault of a batch is that of each of its messages.
    /// </remarks>
    public override Task NotifyFaulted<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
    {
        if (typeof(T) is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Batch<>))
        {
            return _delivery.EndpointIsReady;
        }

        Threw(consumerType, exception);
        _message = new FaultedMessage<T>(_context, context.Message) { ConsumerType = consumerType, Duration = duration };
        return _delivery.EndpointIsReady;
    }

    /// <summary>Remembers what a consumer threw; several may fail at a time.</summary>
    public void Threw(string consumer, Exception exception) => LazyInitializer.EnsureInitialized(ref _thrown).Add(consumer, exception);

    /// <summary>What the attempt failed with, where MassTransit threw this: what its consumer threw, or its time-out.</summary>
    public Exception FailureOf(Exception exception)
    {
        // what one consumer threw stands over what is decided already for another one: only a failure uses up the attempt
        var failure = _thrown is null ? exception : exception is DecidedException ? _thrown.Latest : _thrown.OriginalOf(exception);
        return TimedOut ? new TimeoutException($"The attempt took longer than {Rules.AttemptTimeout}.", failure) : failure;
    }

    /// <summary>What an exception means by the point's rules.</summary>
    public Outcome OutcomeOf(Exception exception, Type messageType) => Rules.Classify(FailureOf(exception), messageType);

    /// <summary><c>context.Redeliver(delay)</c>: this message once more, through the ladder, if the attempt ends well.</summary>
    /// <remarks>Nothing is published here. An attempt may still fail, and its message would live twice: one on the ladder for each.</remarks>
    public Task ScheduleRedelivery(TimeSpan delay, Action<ConsumeContext, SendContext>? callback = null)
    {
        RefuseCallback(callback);
        Say(new SaidOutcome.Redeliver(delay));
        return Task.CompletedTask;
    }

    /// <summary>Refuses what would change a message that is redelivered.</summary>
    public static void RefuseCallback(Action<ConsumeContext, SendContext>? callback)
    {
        if (callback is not null)
        {
            throw new NotSupportedException("Redeliver through the ladder sends the original bytes once more, so its callback has nothing to change. Call Redeliver(delay) without a callback, or send a message of your own.");
        }
    }

    /// <summary>What the consumer said last of the attempt, so far.</summary>
    public SaidOutcome? Said => _said.Said;

    /// <inheritdoc/>
    public void Say(SaidOutcome said)
    {
        if (!_said.TrySay(said))
        {
            throw new InvalidOperationException($"Found a call of {said.GetType().Name} after the attempt had ended, wanted it before: the message has its outcome. Call it inside the consumer, and await what calls it.");
        }
    }

    /// <summary>Takes back what the consumer said: something else has been made of it.</summary>
    public void TakeBack() => _said.TrySay(null);

    /// <summary>Ends the attempt: nothing can be said any more.</summary>
    /// <returns>What the consumer said, or <see langword="null"/>.</returns>
    public SaidOutcome? End() => _said.Close();

    /// <summary>What the parked message's headers tell other tools.</summary>
    public FaultDetails FaultOf(Exception exception) =>
        new MassTransitFault(exception, _message?.ConsumerType, _message?.MessageType, ReceiveContext.InputAddress);

    /// <inheritdoc/>
    public bool WasConsumed { get; init; } = true;

    /// <inheritdoc/>
    public void MarkSettled() => _context.ReceiveContext.GetOrAddPayload(static () => SettledDelivery.Instance);

    /// <summary>Tells MassTransit, unless a consumer has, that the delivery has been dealt with; otherwise a copy goes to the skipped queue.</summary>
    public Task NotifyEndedAsync() => ReceiveContext.IsDelivered ? Task.CompletedTask : (_message ?? Unrouted).NotifyEndedAsync();

    /// <summary>Publishes the one Fault of a message that has just been parked.</summary>
    public async Task SendFaultAsync(Exception exception, RetryState parked, CancellationToken cancellationToken)
    {
        if (_envelopeProblem.Value is not null)
        {
            await ParkedReceiveFault.SendAsync(ReceiveContext, null, exception, parked, _time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
            await ReceiveContext.NotifyFaulted(exception).ConfigureAwait(false);
            return;
        }

        await (_message ?? Unrouted).SendFaultAsync(exception, parked, _time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
    }

    private FaultedMessage<UnroutedMessage> Unrouted => new(_context, UnroutedMessage.Instance);

    // MassTransit reads these when they are asked for: a consumer may, and the Fault does
    private FormatException? FindEnvelopeProblem()
    {
        try
        {
            _ = (_context.MessageId, _context.RequestId, _context.CorrelationId, _context.ConversationId, _context.InitiatorId);
            _ = (_context.SourceAddress, _context.DestinationAddress, _context.ResponseAddress, _context.FaultAddress);
            return null;
        }
        catch (FormatException problem)
        {
            return problem;
        }
    }

    public void Dispose()
    {
        _linked?.Dispose();
        _timeout?.Dispose();
    }
}
