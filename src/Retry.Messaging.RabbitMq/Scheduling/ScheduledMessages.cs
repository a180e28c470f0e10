using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Builds what a dispatcher publishes: the message's bytes and properties as they came, but for what the schedule is about. Pure.</summary>
internal static class ScheduledMessages
{
    private const string CcHeader = "CC";
    private const string BccHeader = "BCC";

    /// <summary>A message that climbs for the rest of its time.</summary>
    public static OutcomeMessage Climbing(ScheduledDelivery delivery, ScheduleState state, DateTimeOffset now)
    {
        var climb = ScheduleClimb.Begin(state, now);
        var properties = Republication.Stripped(delivery.Properties);
        properties.Headers![RetryHeaderNames.Schedule] = climb.Header;
        return new(climb.Route.Exchange, climb.Route.RoutingKey, properties, delivery.Body);
    }

    /// <summary>A message whose time has come: as it would have been sent without a delay.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="state">What it carries.</param>
    /// <param name="user">The user of the dispatcher's connection: the broker takes no message with another one's name.</param>
    public static OutcomeMessage Due(ScheduledDelivery delivery, ScheduleState state, string user)
    {
        var properties = Republication.Stripped(delivery.Properties);
        var headers = properties.Headers!;
        if (RetryHeaderReader.OriginOf(headers) == BrokerNames.ScheduleQueue)
        {
            // it was lost, and somebody sent it on
            foreach (var name in headers.Keys.Where(name => name.StartsWith(RetryHeaderNames.Prefix, StringComparison.Ordinal)).ToList())
            {
                headers.Remove(name);
            }
        }

        headers.Remove(RetryHeaderNames.Schedule);
        if (state.Repeated > 0)
        {
            headers[RetryHeaderNames.Repeated] = state.Repeated;
        }

        var kept = state.Kept;
        PutBack(headers, CcHeader, kept.Cc);
        PutBack(headers, BccHeader, kept.Bcc);
        if (kept.Priority is { } priority)
        {
            properties.Priority = priority;
        }

        properties.Expiration = kept.Expiration;
        properties.UserId = kept.UserId == user ? user : null;
        return new(kept.Exchange!, kept.RoutingKey!, properties, delivery.Body);
    }

    /// <summary>A message that has no way to where it goes. It keeps its schedule: sent on from the lost queue, it is dispatched again.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="state">What it carries, if that could be read.</param>
    /// <param name="cause">Why it is lost.</param>
    /// <param name="now">The current time.</param>
    public static OutcomeMessage Lost(ScheduledDelivery delivery, ScheduleState? state, string cause, DateTimeOffset now)
    {
        var sent = RetryHeaderReader.Read(delivery.Properties.Headers, BrokerNames.ScheduleQueue);
        var properties = Republication.With(
            delivery.Properties,
            sent with
            {
                Id = sent.Id ?? delivery.Properties.MessageId,
                FirstFailedAt = sent.FirstFailedAt ?? now,
                DueAt = state?.DueAt,
                Error = cause,
                Kept = new KeptProperties { Exchange = state?.Kept.Exchange, RoutingKey = state?.Kept.RoutingKey },
            },
            BrokerNames.ScheduleQueue);
        return new(BrokerNames.LostExchange, DelayLadder.Route(TimeSpan.Zero, BrokerNames.ScheduleQueue).RoutingKey, properties, delivery.Body);
    }

    private static void PutBack(IDictionary<string, object?> headers, string name, IReadOnlyList<string>? copies)
    {
        if (copies is not null)
        {
            headers[name] = copies.Select(object? (copy) => copy).ToList();
        }
    }
}
