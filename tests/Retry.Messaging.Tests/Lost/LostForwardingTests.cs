using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lost;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lost;

/// <summary>Which lost messages go on by themselves.</summary>
public sealed class LostForwardingTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private readonly LostForwarding _forwarding = new(TimeSpan.FromHours(24), looksAtMost: 2);

    [Fact]
    public void What_was_lost_within_the_time_goes_on_and_what_was_lost_earlier_stays()
    {
        _forwarding.MayGoOn(Lost(parkedAt: Now.AddHours(-23.9)), Now).ShouldBeTrue();
        _forwarding.MayGoOn(Lost(parkedAt: Now.AddHours(-24)), Now).ShouldBeFalse();
        _forwarding.MayGoOn(Lost(parkedAt: null), Now).ShouldBeTrue("nobody knows when");
    }

    [Fact]
    public void What_climbed_for_days_was_lost_when_it_left_its_last_rung()
    {
        var left = new Dictionary<string, object?>
        {
            ["x-death"] = new List<object>
            {
                new Dictionary<string, object?> { ["reason"] = "expired"u8.ToArray(), ["queue"] = "retry.v1.9d"u8.ToArray(), ["time"] = new RabbitMQ.Client.AmqpTimestamp(Now.AddHours(-1).ToUnixTimeSeconds()) },
            },
        };
        _forwarding.MayGoOn(Lost(parkedAt: Now.AddDays(-9), headers: left), Now).ShouldBeTrue();
    }

    [Fact]
    public void What_is_past_a_deadline_of_its_own_or_of_its_retries_stays()
    {
        _forwarding.MayGoOn(Lost(new RetryState { Deadline = Now }), Now).ShouldBeFalse();
        _forwarding.MayGoOn(Lost(new RetryState { Deadline = Now.AddSeconds(1) }), Now).ShouldBeTrue();
        _forwarding.MayGoOn(Lost(new RetryState { Kept = KeptProperties.None with { ExpiresAt = Now } }), Now).ShouldBeFalse();
        _forwarding.MayGoOn(Lost(new RetryState { Deadline = Now.AddHours(-1) }, destination: null), Now).ShouldBeTrue("what is to be parked has ended");
    }

    [Fact]
    public void What_keeps_coming_back_stays_for_somebody_who_looks()
    {
        _forwarding.MayGoOn(Lost(new RetryState { Replayed = 9, Plan = "by-itself-1" }), Now).ShouldBeTrue();
        _forwarding.MayGoOn(Lost(new RetryState { Replayed = 10, Plan = "by-itself-1" }), Now).ShouldBeFalse();
        _forwarding.MayGoOn(Lost(new RetryState { Replayed = 10, Plan = "an operator's" }), Now).ShouldBeTrue();
    }

    [Fact]
    public void A_queue_that_was_missing_is_known_by_the_routing_keys_that_lead_to_it_until_it_is_back()
    {
        _forwarding.Begin();
        _forwarding.IsMissing(Lost(destination: "orders"), "orders");
        _forwarding.IsMissing(Lost(destination: "orders.release"), "orders");
        _forwarding.IsMissing(Lost(destination: null), "orders.parked");

        _forwarding.IsHomeless("0.0.0.0.0.3.0.0.orders").ShouldBeTrue();
        _forwarding.IsHomeless("0.0.0.0.0.0.0.0.orders.release").ShouldBeTrue();
        _forwarding.IsHomeless("orders").ShouldBeTrue("on its way to the parking lot");
        _forwarding.IsHomeless("0.0.0.0.0.3.0.0.invoices").ShouldBeFalse();
        _forwarding.Missing.ShouldBe(["orders", "orders.parked"], ignoreOrder: true);

        _forwarding.IsBack("orders");
        _forwarding.IsHomeless("0.0.0.0.0.3.0.0.orders").ShouldBeFalse();
        _forwarding.IsHomeless("orders").ShouldBeTrue();
    }

    [Fact]
    public void So_many_queues_are_looked_for_in_one_reading_and_the_rest_in_the_next()
    {
        _forwarding.Begin();
        _forwarding.MayLook().ShouldBeTrue();
        _forwarding.MayLook().ShouldBeTrue();
        _forwarding.IsUnfinished.ShouldBeFalse();
        _forwarding.MayLook().ShouldBeFalse();
        _forwarding.IsUnfinished.ShouldBeTrue();
        _forwarding.IsMissing(Lost(destination: "orders"), "orders");

        _forwarding.Begin();
        _forwarding.MayLook().ShouldBeTrue();
        _forwarding.IsHomeless("0.0.0.0.0.3.0.0.orders").ShouldBeTrue("what was found out is not asked for again");
    }

    [Fact]
    public void What_the_broker_refused_is_read_again_soon_then_at_pauses_that_double()
    {
        var rounds = new LostRounds();
        rounds.AnewAfter(refusals: 0).ShouldBe(rounds.Anew);
        rounds.AnewAfter(refusals: 1).ShouldBe(rounds.Shortest);
        rounds.AnewAfter(refusals: 3).ShouldBe(rounds.Shortest * 4);
        rounds.AnewAfter(refusals: 30).ShouldBe(rounds.Anew);

        _forwarding.IsRefused("orders", "full");
        (_forwarding.Refusal, _forwarding.WasRefused("orders"), _forwarding.WasRefused("others")).ShouldBe(("full", true, false));
        _forwarding.Begin();
        (_forwarding.Refusal, _forwarding.WasRefused("orders")).ShouldBe((null, false));
    }

    private static ParkedMessage Lost(RetryState? state = null, DateTimeOffset? parkedAt = null, string? destination = "orders", IDictionary<string, object?>? headers = null) => new()
    {
        Id = "a",
        WorkQueue = "orders",
        Reason = ParkReason.Undeliverable,
        ParkedAt = parkedAt,
        State = state ?? RetryState.Fresh,
        RawHeaders = headers,
        Destination = destination,
    };
}
