using Xunit;

namespace Retry.Messaging.BrokerTests;

/// <summary>For the parking lots, the plans that move them and other libraries' error queues: a broker of their own, beside the operators' one.</summary>
[CollectionDefinition(Name)]
public sealed class LotBroker : ICollectionFixture<BrokerFixture>
{
    public const string Name = "lot broker";
}
