using Xunit;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Retry.Messaging.BrokerTests.LongestFirst", "Retry.Messaging.BrokerTests")]

namespace Retry.Messaging.BrokerTests;

/// <summary>The collections that take longest start first: begun last, one of them would run for minutes alone.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = [WaitingBroker.Name, LotBroker.Name, ScheduleBroker.Name, OperatorBroker.Name, SharedBroker.Name];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => Array.IndexOf(Long, collection.DisplayName) is var place and >= 0 ? place : Long.Length).ThenBy(collection => collection.DisplayName, StringComparer.Ordinal);
}
