using Xunit;

// Two cores: two collections at a time, so that the one that mostly waits runs beside the one that works.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]

namespace Retry.Messaging.BrokerTests;

/// <summary>Classes in this collection share one broker: <c>[Collection(SharedBroker.Name)]</c>, constructor argument <see cref="BrokerFixture"/>.</summary>
[CollectionDefinition(Name)]
public sealed class SharedBroker : ICollectionFixture<BrokerFixture>
{
    public const string Name = "broker";
}
