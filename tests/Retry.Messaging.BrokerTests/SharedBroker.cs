using Xunit;

// Two cores and one broker: tests that run beside each other would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Retry.Messaging.BrokerTests;

/// <summary>Classes in this collection share one broker: <c>[Collection(SharedBroker.Name)]</c>, constructor argument <see cref="BrokerFixture"/>.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SharedBroker : ICollectionFixture<BrokerFixture>
{
    public const string Name = "broker";
}
