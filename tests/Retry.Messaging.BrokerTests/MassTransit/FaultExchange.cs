using MassTransit;
using MassTransit.RabbitMqTransport;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>The exchange that MassTransit publishes to, for a queue that a raw client binds before anything starts.</summary>
internal static class FaultExchange
{
    public static string Of<T>()
        where T : class => ExchangeOf<Fault<T>>();

    public static string ExchangeOf<T>()
        where T : class => new RabbitMqMessageNameFormatter().GetMessageName(typeof(T)).ToString();
}
