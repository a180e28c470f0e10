using Xunit;

// Two cores, and a third of the time is waiting: three collections at a time.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]

namespace Retry.Messaging.BrokerTests;

/// <summary>Classes in this collection share one broker: <c>[Collection(SharedBroker.Name)]</c>, constructor argument <see cref="BrokerFixture"/>.</summary>
[CollectionDefinition(Name)]
public sealed class SharedBroker : ICollectionFixture<BrokerFixture>
{
    public const string Name = "broker";
}
