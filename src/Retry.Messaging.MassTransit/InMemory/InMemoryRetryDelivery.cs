using MassTransit;
using MassTransit.InMemoryTransport;
using Retry.Messaging.Decisions;
using Retry.Messaging.State;
using Retry.Messaging.MassTransit.Faults;
using Retry.Messaging.MassTransit.Transports;

namespace Retry.Messaging.MassTransit.InMemory;

/// <summary>A delivery of the in-memory transport; delays are that transport's own.</summary>
internal sealed class InMemoryRetryDelivery(
    string queue,
    InMemoryReceiveEndpointContext endpoint,
    ReceiveContext receive,
    IReadOnlyDictionary<string, object?> headers,
    InMemoryParkingLot parkingLot,
    TimeProvider time) : RetryDelivery
{
    public override Task ClimbAsync(RetryDecision.Again again, CancellationToken cancellationToken) =>
        ClimbAsync(again.State, again.Delay, cancellationToken);

    public override Task RedeliverAsync(TimeSpan delay, CancellationToken cancellationToken) =>
        ClimbAsync(RetryDecider.Redeliver(State, FallbackId, delay, Environment.MachineName, time.GetUtcNow()), cancellationToken);

    public override Task ParkAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken)
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

    public override Task HoldAsync(Func<Task> step, CancellationToken cancellationToken) => step();

    private Task ClimbAsync(RetryState state, TimeSpan delay, CancellationToken cancellationToken)
    {
        if (parkingLot.SkipDelays)
        {
            delay = TimeSpan.Zero;
            state = state with { DueAt = null };
        }

        var id = receive.GetMessageId() ?? NewId.NextGuid();
        var message = new InMemoryTransportMessage(id, receive.GetBody(), receive.ContentType?.ToString() ?? string.Empty)
        {
            Delay = delay > TimeSpan.Zero ? delay : null,
        };
        foreach (var (name, value) in Copy(state))
        {
            message.Headers.Set(name, value, true);
        }

        message.Headers.Set(MessageHeaders.RedeliveryCount, state.Attempt - 1, true);
        return endpoint.MessageFabric.GetQueue(endpoint.TransportContext, queue).Deliver(new InMemoryDeliveryContext(message, cancellationToken));
    }

    private Dictionary<string, object?> Copy(RetryState state)
    {
        var copy = new Dictionary<string, object?>(headers, StringComparer.OrdinalIgnoreCase);
        RetryHeaderWriter.Write(copy, state, queue);
        return copy;
    }
}
