using System.Text;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.RabbitMq.Publishing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Estates;

/// <summary>Where a replay from an error queue goes.</summary>
public sealed class FailedQueueTests
{
    [Theory]
    [InlineData("rabbitmq://localhost/payments", "payments")]
    [InlineData("rabbitmq://localhost:5672/shop/payments?durable=true", "payments")]
    [InlineData("rabbitmqs://broker/shop%2Feu/eu.payments%20now", "eu.payments now")]
    [InlineData("queue:payments", "payments")]
    public void MassTransits_address_comes_first(string address, string queue) => Of("errors", address, "elsewhere").ShouldBe(queue);

    [Theory]
    [InlineData("payments_error", null)]
    [InlineData("payments_skipped", null)]
    [InlineData("payments_error", "no address")]
    [InlineData("payments_error", "rabbitmq://localhost/shop/")]
    [InlineData("payments_error", "rabbitmq://localhost/shop/payments_error")]
    public void Then_the_name_of_the_error_queue(string errorQueue, string? address) => Of(errorQueue, address, "elsewhere").ShouldBe("payments");

    [Theory]
    [InlineData("dead")]
    [InlineData("_error")]
    public void Then_the_queue_that_it_died_in(string errorQueue) => Of(errorQueue, null, "orders").ShouldBe("orders");

    [Theory]
    [InlineData("dead", null)]
    [InlineData("dead", "dead")]
    [InlineData("_skipped", null)]
    public void Where_nothing_tells_it_there_is_none(string errorQueue, string? died) => Of(errorQueue, null, died).ShouldBeNull();

    [Fact]
    public void A_name_that_no_queue_can_have_is_none() => Of("dead", "rabbitmq://localhost/" + new string('é', 128), new string('q', 256)).ShouldBeNull();

    [Fact]
    public void The_last_death_counts_but_not_the_one_in_the_error_queue_itself()
    {
        var headers = new Dictionary<string, object?> { ["x-death"] = ErrorQueueMessageTests.Deaths(("dead", "expired"), ("orders", "rejected"), ("earlier", "expired")) };

        BrokerDeath.Latest(headers, exceptIn: "dead").ShouldNotBeNull().Queue.ShouldBe("orders");
    }

    [Theory]
    [InlineData("", "empty name")]
    [InlineData("retry.v1.lost", "'retryctl lost list'")]
    [InlineData("retry.v1.30s", "a queue of the ladder")]
    [InlineData("payments.parked", "'payments', without --queue")]
    [InlineData("payments.release", "its limiter")]
    public void What_is_no_error_queue_is_refused_with_what_to_type(string queue, string expected) => ErrorQueues.WhyNot(queue).ShouldNotBeNull().ShouldContain(expected);

    [Theory]
    [InlineData("payments_error")]
    [InlineData("dead letters/eu")]
    public void Any_other_name_may_be_one(string queue) => ErrorQueues.WhyNot(queue).ShouldBeNull();

    [Fact]
    public void A_name_that_is_too_long_is_refused() => ErrorQueues.WhyNot(new string('q', 256)).ShouldNotBeNull().ShouldContain("256 bytes");

    private static string? Of(string errorQueue, string? address, string? died)
    {
        var headers = new Dictionary<string, object?> { ["MT-Fault-InputAddress"] = address is null ? null : Encoding.UTF8.GetBytes(address) };
        return FailedQueue.Of(errorQueue, headers, died is null ? null : new BrokerDeath(died, "rejected", null, null, null));
    }
}
