using Xunit;

namespace Retry.Messaging.BrokerTests;

/// <summary>For the classes that wait for minutes and use little of the machine meanwhile: a broker of their own, beside the shared one.</summary>
[CollectionDefinition(Name)]
public sealed class WaitingBroker : ICollectionFixture<BrokerFixture>
{
    public const string Name = "waiting broker";
}
