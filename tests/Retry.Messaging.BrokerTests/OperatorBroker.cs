using Xunit;

namespace Retry.Messaging.BrokerTests;

/// <summary>For the limiter, the circuit and what operators type: a broker of their own, beside the one of the services.</summary>
[CollectionDefinition(Name)]
public sealed class OperatorBroker : ICollectionFixture<BrokerFixture>
{
    public const string Name = "operator broker";
}
