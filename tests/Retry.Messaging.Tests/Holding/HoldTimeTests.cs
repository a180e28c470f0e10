using Retry.Messaging.RabbitMq.Holding;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Holding;

/// <summary>How long a delivery is held: well below the broker's consumer timeout, whoever tells that.</summary>
public sealed class HoldTimeTests
{
    private const string Words = "PRECONDITION_FAILED - delivery acknowledgement on channel 3 timed out. Timeout value used: 60000 ms. This timeout value can be configured, see consumers doc guide to learn more";

    [Fact]
    public void Where_nobody_tells_it_is_twenty_minutes() => new HoldTime().Limit.ShouldBe(TimeSpan.FromMinutes(20));

    [Fact]
    public void The_setting_wins_over_what_the_management_api_shows()
    {
        var hold = new HoldTime(TimeSpan.FromSeconds(100));
        hold.Shows(TimeSpan.FromMinutes(30));
        hold.Limit.ShouldBe(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void What_the_management_api_shows_may_change_and_go()
    {
        var hold = new HoldTime();
        hold.Shows(TimeSpan.FromSeconds(60));
        hold.Limit.ShouldBe(TimeSpan.FromSeconds(36));
        hold.Shows(TimeSpan.FromSeconds(300));
        hold.Limit.ShouldBe(TimeSpan.FromSeconds(180));
        hold.Shows(null);
        hold.Limit.ShouldBe(HoldTime.Unknown);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1800)]
    public void What_the_broker_has_acted_on_wins_over_anything_longer(int? setting)
    {
        var hold = new HoldTime(setting is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        hold.Feels(Words);
        hold.Limit.ShouldBe(TimeSpan.FromSeconds(36));
        hold.Shows(TimeSpan.FromMinutes(30));
        hold.Limit.ShouldBe(TimeSpan.FromSeconds(36));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("NOT_FOUND - no exchange 'a' in vhost '/'")]
    [InlineData("CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'")]
    [InlineData("PRECONDITION_FAILED - unknown delivery tag 60000")]
    [InlineData("delivery acknowledgement on channel 1 timed out. Timeout value used: 0 ms")]
    [InlineData("delivery acknowledgement on channel 1 timed out. Timeout value used: -1 ms")]
    [InlineData("delivery acknowledgement on channel 1 timed out. Timeout value used: 99999999999999999999 ms")]
    public void Other_words_of_the_broker_change_nothing(string? words)
    {
        var hold = new HoldTime();
        hold.Feels(words);
        hold.ConsumerTimeout.ShouldBeNull();
    }

    [Theory]
    [InlineData("3.10.8", null, null)]
    [InlineData("3.10.8", 20L, 20L)]
    [InlineData("3.13.7", -1L, null)]
    [InlineData("4.0.5", null, 20L)]
    [InlineData("4.0.5", 1000L, 1000L)]
    [InlineData("4.2.1", -1L, null)]
    [InlineData("4.3.6", null, null)]
    [InlineData("4.3.6", 3L, null)]
    [InlineData("0.0", null, null)]
    public void What_is_given_back_counts_towards_a_delivery_limit_before_4_3(string broker, long? known, long? limit) =>
        DeliveryLimit.Of(Version.Parse(broker), known).ShouldBe(limit);

    [Theory]
    [InlineData("3.10.8", null, null)]
    [InlineData("4.0.5", null, 20L)]
    [InlineData("4.3.6", null, 20L)]
    [InlineData("4.3.6", 3L, 3L)]
    [InlineData("4.3.6", -1L, null)]
    public void A_channel_that_closes_counts_towards_it_on_every_version(string broker, long? known, long? limit) =>
        DeliveryLimit.OfCuts(Version.Parse(broker), known).ShouldBe(limit);

    [Theory]
    [InlineData(null, 1_000_000, false)]
    [InlineData(20L, 0, false)]
    [InlineData(20L, 14, false)]
    [InlineData(20L, 15, true)]
    [InlineData(20L, 20, true)]
    [InlineData(2L, 0, false)]
    [InlineData(2L, 1, true)]
    [InlineData(1L, 0, false)]
    [InlineData(1L, 1, true)]
    [InlineData(0L, 0, true)]
    [InlineData(1000L, 994, false)]
    [InlineData(1000L, 995, true)]
    [InlineData(2147483647L, 1000, false)]
    public void The_last_returns_before_the_limit_are_kept_in_reserve(long? limit, int returns, bool near) =>
        DeliveryLimit.IsNear(limit, returns).ShouldBe(near);
}
