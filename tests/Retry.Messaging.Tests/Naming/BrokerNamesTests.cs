using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Naming;

public class BrokerNamesTests
{
    [Fact]
    public void Names_are_those_of_the_contract()
    {
        DelayLadder.Levels.Select(BrokerNames.LevelExchange).ShouldBe(
            ["retry.v1.d", "retry.v1.10h", "retry.v1.h", "retry.v1.10m", "retry.v1.m", "retry.v1.10s", "retry.v1.s", "retry.v1.tenths"]);
        DelayLadder.Levels.Select(level => BrokerNames.Rung(level, 1)).ShouldBe(
            ["retry.v1.1d", "retry.v1.10h", "retry.v1.1h", "retry.v1.10m", "retry.v1.1m", "retry.v1.10s", "retry.v1.1s", "retry.v1.100ms"]);
        BrokerNames.ReturnExchange.ShouldBe("retry.v1.return");
        BrokerNames.LostExchange.ShouldBe("retry.v1.lost");
        BrokerNames.LostQueue.ShouldBe("retry.v1.lost");
        BrokerNames.ParkingExchange.ShouldBe("retry.parking");
        BrokerNames.ReleaseQueue("orders").ShouldBe("orders.release");
        BrokerNames.ParkedQueue("orders").ShouldBe("orders.parked");
        BrokerNames.ReturnPattern("orders.eu").ShouldBe("*.*.*.*.*.*.*.*.orders.eu");
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("orders.eu.priority")]
    [InlineData("orders..eu.")]
    [InlineData("or*ders")]
    [InlineData("c#")]
    [InlineData("bestellungen-größe")]
    [InlineData("注文")]
    [InlineData("with space")]
    public void A_queue_may_be_a_destination(string queue) => BrokerNames.WhyNotADestination(queue).ShouldBeNull();

    [Theory]
    [InlineData("", "no name")]
    [InlineData(null, "no name")]
    [InlineData("*", "wildcard")]
    [InlineData("#", "wildcard")]
    [InlineData("orders.*", "the word '*'")]
    [InlineData("#.orders", "the word '#'")]
    [InlineData("orders.#.eu", "the word '#'")]
    public void A_wildcard_or_nothing_is_refused_with_the_reason(string? queue, string reason) =>
        BrokerNames.WhyNotADestination(queue!).ShouldNotBeNull().ShouldContain(reason);

    [Theory]
    [InlineData('a', 239, true)]
    [InlineData('a', 240, false)]
    [InlineData('ö', 119, true)]
    [InlineData('ö', 120, false)]
    [InlineData('注', 79, true)]
    [InlineData('注', 80, false)]
    public void A_name_counts_in_bytes_and_must_leave_room_for_the_digits(char letter, int length, bool fits)
    {
        var reason = BrokerNames.WhyNotADestination(new string(letter, length));

        (reason is null).ShouldBe(fits);
        reason?.ShouldContain("leaves 239");
    }

    [Theory]
    [InlineData("retry.v1.return", true)]
    [InlineData("retry.v1.d", true)]
    [InlineData("retry.v1.tenths", true)]
    [InlineData("retry.v1.lost", false)]
    [InlineData("retry.v1.30s", false)]
    [InlineData("retry.v1.mine", false)]
    [InlineData("retry.parking", false)]
    [InlineData("", false)]
    public void Only_the_exchanges_of_the_ladder_vouch_for_our_headers(string exchange, bool isOurs) =>
        BrokerNames.IsOfTheLadder(exchange).ShouldBe(isOurs);
}
