using Retry.Messaging.MassTransit.Faults;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

public class FaultIdTests
{
    private static readonly Uri Orders = new("rabbitmq://localhost/shop/orders");

    [Fact]
    public void The_same_park_has_the_same_fault_whenever_and_wherever_it_is_repeated() =>
        FaultId.Of(new RetryState { Id = "m-1", Attempt = 3, Error = "one" }, Orders).ShouldBe(FaultId.Of(new RetryState { Id = "m-1", Attempt = 4, Error = "two", Crashes = 1 }, new Uri("rabbitmq://another-node:5671/shop/orders")));

    [Fact]
    public void It_never_changes_between_versions() =>
        FaultId.Of(new RetryState { Id = "m-1" }, Orders).ToString().ShouldBe("2f512aab-432f-8ff0-8781-7dc76aecaeee");

    [Fact]
    public void Another_message_another_replay_and_another_queue_have_another_fault()
    {
        var ids = new[] { new RetryState { Id = "m-1" }, new RetryState { Id = "m-2" }, new RetryState { Id = "m-1", Replayed = 1 }, new RetryState { Id = "m-1", Replayed = 2 } }
            .Select(parked => FaultId.Of(parked, Orders))
            .Append(FaultId.Of(new RetryState { Id = "m-1" }, new Uri("rabbitmq://localhost/shop/invoices")))
            .Append(FaultId.Of(new RetryState { Id = "m-1" }, new Uri("rabbitmq://localhost/test/orders")))
            .ToList();

        ids.Distinct().Count().ShouldBe(6);
        ids.ShouldAllBe(id => id.Version == 8);
    }
}
