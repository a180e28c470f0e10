using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Wire;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>A scheduled message that comes off the ladder now, as if it had waited: what is measured is the dispatcher's part.</summary>
internal static class DueMessage
{
    public const string RoutingKey = "0.0.0.0.0.0.0.0." + BrokerNames.ScheduleQueue;

    public static string Exchange => BrokerNames.ReturnExchange;

    public static (byte[] Body, BasicProperties Properties) For(string queue, string id, string? expiration = null)
    {
        var state = new ScheduleState { DueAt = DateTimeOffset.UtcNow, Kept = new KeptProperties { Exchange = string.Empty, RoutingKey = queue, Expiration = expiration } };
        return ("one"u8.ToArray(), new BasicProperties { MessageId = id, Headers = new Dictionary<string, object?> { [RetryHeaderNames.Schedule] = ScheduleHeader.Write(state) } });
    }
}
