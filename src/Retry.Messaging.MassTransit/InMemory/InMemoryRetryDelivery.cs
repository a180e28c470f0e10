using MassTransit;
using MassTransit.InMemoryTransport;
using RabbitMQ.Client;
using Retry.Messaging.Decisions;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.InMemory;

/// <summary>A delivery of the in-memory transport; delays are that transport's own.</summary>
internal sealed class InMemoryRetryDelivery(
    string queue,
    InMemoryReceiveEndpointContext endpoint,
    ReceiveContext receive,
    Guid? messageId,
    IReadOnlyDictionary<string, object?> headers,
    InMemoryParkingLot parkingLot,
    TimeProvider time) : RetryDelivery
{
    public override Task HoldAsync(Func<Task> step, CancellationToken cancellationToken) => step();

    protected override Task SendUpAsync(RetryDecision.Again again, CancellationToken cancellationToken) =>
        SendUpAsync(again.State, again.Delay, cancellationToken);

    protected override Task SendToParkingLotAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken)
    {
        var state = park.State with { Reason = park.Reason };
        var parked = Copy(state);
        foreach (var (name, value) in fault.Headers(time.GetUtcNow(), State.Attempt - 1))
        {
            parked[name] = value;
        }

        parkingLot.Add(new InMemoryParkedMessage(queue, state, receive.GetBody(), parked, fault.Exception));
        return Task.CompletedTask;
    }

    protected override string FirstId() => ChainId.Of(
        queue,
        string.Empty,
        string.Empty,
        new BasicProperties { MessageId = messageId?.ToString("D"), Headers = new Dictionary<string, object?>(headers) },
        receive.GetBody());

    private Task SendUpAsync(RetryState state, TimeSpan delay, CancellationToken cancellationToken)
    {
        if (parkingLot.SkipDelays)
        {
            // what uses no attempt has no end by itself: it waits as long as it has to
            delay = state.Attempt == State.Attempt ? Shorter(delay, OutcomeExtensions.ShortestPostponement) : TimeSpan.Zero;
            state = state with { DueAt = null };
        }

        var id = receive.GetMessageId() ?? NewId.NextGuid();
        var message = new InMemoryTransportMessage(id, receive.GetBody(), receive.ContentType?.ToString() ?? string.Empty)
        {
            // as on the ladder: a longer delay goes on with the rest, and one longer than a timer holds would end all others
            Delay = delay <= TimeSpan.Zero ? null : delay < DelayLadder.MaxDelay ? delay : DelayLadder.MaxDelay,
        };
        foreach (var (name, value) in Copy(state))
        {
            message.Headers.Set(name, value, true);
        }

        message.Headers.Set(MessageHeaders.RedeliveryCount, state.Attempt - 1, true);
        return endpoint.MessageFabric.GetQueue(endpoint.TransportContext, queue).Deliver(new InMemoryDeliveryContext(message, cancellationToken));
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private Dictionary<string, object?> Copy(RetryState state)
    {
        var copy = new Dictionary<string, object?>(headers, StringComparer.OrdinalIgnoreCase);
        RetryHeaderWriter.Write(copy, state, queue);
        RetryTracing.Propagate(copy);
        return copy;
    }
}
