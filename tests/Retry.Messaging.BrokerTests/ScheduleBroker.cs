using Xunit;

namespace Retry.Messaging.BrokerTests;

/// <summary>For scheduled messages and idempotent consumers: a broker of their own, beside the shared one.</summary>
/// <remarks>
/// RabbitMQ 3.10 sets 178 file handles aside for each virtual host with a ladder (measured). With a limit of 20,000 a node that has
/// more than 110 of them stops answering, and a collection keeps its virtual hosts until its end.
/// </remarks>
[CollectionDefinition(Name)]
public sealed class ScheduleBroker : ICollectionFixture<BrokerFixture>
{
    public const string Name = "schedule broker";
}
