using System.Globalization;
using MassTransit;
using MassTransit.Context;
using MassTransit.RabbitMqTransport;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Turns a send with a delay, which MassTransit would hand to the delay plugin's exchange, into a send to the ladder.</summary>
/// <remarks>
/// MassTransit has finished the context by then, and publishes it with a confirm. The body is as it would be without a delay: what is taken
/// off here is taken off after it has been written.
/// </remarks>
internal static class ScheduledSend
{
    // MassTransit's own, which it keeps internal: the one way to another exchange is to read properties that were written
    private const string ExchangeProperty = "RMQ-Exchange";
    private const string RoutingKeyProperty = "RMQ-RoutingKey";
    private const string Cc = "CC";
    private const string Bcc = "BCC";

    // what MassTransit sends where nothing is left of a time to live
    private static readonly TimeSpan ShortestTimeToLive = TimeSpan.FromSeconds(1);

    /// <summary>Whether a send waits for the ladder: it has a delay, and goes to an exchange of RabbitMQ.</summary>
    /// <remarks>An answer to <c>amq.rabbitmq.reply-to</c> goes at once, as MassTransit has it: who waits for it does so on one channel.</remarks>
    public static bool Concerns(SendContext context) =>
        context.Delay > TimeSpan.Zero
        && context.TryGetPayload<RabbitMqSendContext>(out var rabbit)
        && rabbit is TransportSendContext
        && rabbit.Exchange != RabbitMqExchangeNames.ReplyTo;

    /// <summary>Whether it has been rewritten.</summary>
    public static bool WasRewritten(SendContext context) =>
        context.TryGetPayload<RabbitMqSendContext>(out var rabbit) && rabbit.BasicProperties.Headers?.ContainsKey(RetryHeaderNames.Schedule) == true;

    /// <summary>Rewrites the context of such a send.</summary>
    /// <param name="context">The context.</param>
    /// <param name="asked">What it says of its schedule.</param>
    /// <param name="now">The current time: what was waited for meanwhile is no part of the delay.</param>
    public static void Rewrite<T>(SendContext<T> context, AskedSchedule asked, DateTimeOffset now)
        where T : class
    {
        var rabbit = context.GetPayload<RabbitMqSendContext>();
        var climb = ScheduleClimb.Begin(new ScheduleState { DueAt = asked.Due, Token = asked.Token, AskedAt = asked.AskedAt, Kept = TakeOff(context) }, now);
        rabbit.BasicProperties.Headers![RetryHeaderNames.Schedule] = climb.Header;
        Readdress(context, climb.Route.Exchange, climb.Route.RoutingKey);
        rabbit.Mandatory = true;
        rabbit.AwaitAck = true;
    }

    /// <summary>Takes off what would harm a message that waits.</summary>
    /// <returns>What was taken off, and where the message goes.</returns>
    public static KeptProperties TakeOff<T>(SendContext<T> context)
        where T : class
    {
        var rabbit = context.GetPayload<RabbitMqSendContext>();
        WriteWhatIsTakenOff(context, rabbit);
        var properties = rabbit.BasicProperties;
        var kept = Republication.Keep(properties, rabbit.Exchange, rabbit.RoutingKey ?? string.Empty, expiresAt: null);
        properties.Headers!.Remove(Cc);
        properties.Headers.Remove(Bcc);
        return kept;
    }

    /// <summary>Has a send go nowhere: the broker takes it, and drops it.</summary>
    /// <remarks>An observer cannot call a send off but by an exception, which would be a failed send to every other observer.</remarks>
    public static void GoNowhere(SendContext context)
    {
        Readdress(context, string.Empty, BrokerNames.Nowhere);
        context.GetPayload<RabbitMqSendContext>().Mandatory = false;
    }

    // into the properties, where MassTransit would write it after this: the body is made first, since it tells the time to live and has the headers
    private static void WriteWhatIsTakenOff<T>(SendContext<T> context, RabbitMqSendContext rabbit)
        where T : class
    {
        var headers = rabbit.BasicProperties.Headers ??= new Dictionary<string, object?>();
        var named = context.Headers.GetAll().Where(header => header is { Key: Cc or Bcc, Value: not null }).ToList();
        if ((named.Count > 0 || context.TimeToLive is not null) && rabbit is MessageSendContext<T> message)
        {
            message.Body.GetBytes();
        }

        foreach (var (name, value) in named)
        {
            headers.TryAdd(name, value is string one ? new[] { one } : value is IEnumerable<string> several ? several.ToArray() : value);
            context.Headers.Set(name, null);
        }

        if (context.TimeToLive is { } timeToLive)
        {
            rabbit.BasicProperties.Expiration = (timeToLive > TimeSpan.Zero ? timeToLive : ShortestTimeToLive).TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);
        }
    }

    private static void Readdress(SendContext context, string exchange, string routingKey)
    {
        var rabbit = context.GetPayload<RabbitMqSendContext>();
        var transport = (TransportSendContext)rabbit;
        var written = new Dictionary<string, object>();
        transport.WritePropertiesTo(written);
        written[ExchangeProperty] = exchange;
        written[RoutingKeyProperty] = routingKey;
        transport.ReadPropertiesFrom(written);

        // reading sets a priority of 0 where there was none
        var properties = rabbit.BasicProperties;
        properties.ClearPriority();
        properties.ClearExpiration();
        properties.ClearUserId();
        context.TimeToLive = null;
        context.Delay = null;
    }
}
