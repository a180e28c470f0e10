using RabbitMQ.Client;
using Retry.Messaging.Decisions;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>Builds what is published for an outcome: the message's bytes and properties as they came, with its state in the headers.</summary>
internal static class OutcomeMessages
{
    private const int MaxTenant = 128;

    /// <summary>The way up the ladder.</summary>
    /// <param name="again">The decision.</param>
    /// <param name="destination">The queue that the ladder leads to: the work queue, or its release queue.</param>
    /// <param name="now">The time. After a hold only the rest of the delay is left, because a policy's delay counts from the failure.</param>
    /// <param name="releasableWithin">After what time a message that waits longer comes by.</param>
    /// <returns>The way, and the decision with what the message says of it.</returns>
    public static (LadderRoute Route, RetryDecision.Again Again) RouteOf(
        RetryDecision.Again again,
        string destination,
        DateTimeOffset now,
        TimeSpan? releasableWithin)
    {
        var left = again.DueAt - now;
        var delay = left < again.Delay - DelayLadder.Step ? left : again.Delay;
        // a suspect is kept away for a minute at most, and parked when it comes once too often
        var comesBy = releasableWithin < delay && again.State.Crashes == 0 ? releasableWithin : null;
        return (DelayLadder.Route(comesBy ?? delay, destination), again with { State = again.State with { ComesByAt = now + comesBy } });
    }

    /// <summary>A message that goes up the ladder.</summary>
    /// <param name="original">The properties that the delivery came with.</param>
    /// <param name="body">Its bytes.</param>
    /// <param name="again">The decision.</param>
    /// <param name="workQueue">The queue that it came from.</param>
    /// <param name="route">Its way.</param>
    public static OutcomeMessage Climbing(
        IReadOnlyBasicProperties original,
        ReadOnlyMemory<byte> body,
        RetryDecision.Again again,
        string workQueue,
        LadderRoute route)
    {
        var properties = Republication.Climbing(original, again.State, workQueue);
        properties.Headers![MassTransitHeaderNames.RedeliveryCount] = again.State.Attempt - 1;
        RetryTracing.Propagate(properties.Headers);
        RetryTracing.TagEntry(route);
        return new OutcomeMessage(route.Exchange, route.RoutingKey, properties, body);
    }

    /// <summary>A message that goes to its parking lot.</summary>
    /// <param name="original">The properties that the delivery came with.</param>
    /// <param name="body">Its bytes.</param>
    /// <param name="park">The decision.</param>
    /// <param name="fault">The headers that tell other tools of the failure.</param>
    /// <param name="workQueue">The queue that it came from.</param>
    /// <param name="tenantHeader">The header that names the message's tenant; <see langword="null"/> for none.</param>
    public static OutcomeMessage Parked(
        IReadOnlyBasicProperties original,
        ReadOnlyMemory<byte> body,
        RetryDecision.Park park,
        IEnumerable<KeyValuePair<string, object?>> fault,
        string workQueue,
        string? tenantHeader = null)
    {
        var properties = Republication.With(original, park.State with { Reason = park.Reason }, workQueue);
        properties.Headers!.Remove(RetryHeaderNames.Tenant);
        if (tenantHeader is not null && RetryHeaderReader.Text(properties.Headers, tenantHeader) is { Length: > 0 } tenant)
        {
            properties.Headers[RetryHeaderNames.Tenant] = HeaderText.OneLine(tenant, MaxTenant);
        }

        foreach (var (name, value) in fault)
        {
            properties.Headers![name] = value;
        }

        RetryTracing.Propagate(properties.Headers!);
        return new OutcomeMessage(BrokerNames.ParkingExchange, workQueue, properties, body);
    }
}
