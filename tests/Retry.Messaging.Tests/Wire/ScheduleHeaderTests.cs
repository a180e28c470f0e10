using System.Text;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Wire;

public class ScheduleHeaderTests
{
    private static readonly DateTimeOffset Due = new(2030, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    [Fact]
    public void What_was_written_is_read()
    {
        var state = new ScheduleState
        {
            DueAt = Due,
            LeavesAt = Due.AddDays(-1),
            Repeated = 2,
            Kept = new KeptProperties { Exchange = "Shop:Ordered", RoutingKey = "a\n\"b\"", Priority = 0, Expiration = "60000", UserId = "Köln", Cc = ["x", "y"], Bcc = ["z"] },
        };

        var read = Read(ScheduleHeader.Write(state)).ShouldNotBeNull();

        (read with { Kept = KeptProperties.None }).ShouldBe(state with { Kept = KeptProperties.None });
        (read.Kept with { Cc = null, Bcc = null }).ShouldBe(state.Kept with { Cc = null, Bcc = null });
        read.Kept.Cc.ShouldBe(["x", "y"]);
        read.Kept.Bcc.ShouldBe(["z"]);
    }

    [Fact]
    public void The_default_exchange_is_one_too() =>
        Read(ScheduleHeader.Write(new ScheduleState { DueAt = Due, Kept = new KeptProperties { Exchange = "", RoutingKey = "orders" } }))!.Kept.Exchange.ShouldBe("");

    [Theory]
    [InlineData("")]
    [InlineData("no json")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"due":1}""")]
    [InlineData("""{"exchange":"x"}""")]
    [InlineData("""{"due":-1,"exchange":"x"}""")]
    [InlineData("""{"due":9223372036854775807,"exchange":"x"}""")]
    [InlineData("""{"due":1,"leaves":9223372036854775807,"exchange":"x"}""")]
    [InlineData("""{"due":1,"exchange":"x","priority":300}""")]
    [InlineData("""{"due":1,"exchange":7}""")]
    public void What_makes_no_sense_is_no_schedule(string text) => Read(text).ShouldBeNull();

    [Fact]
    public void A_time_to_live_that_the_broker_would_refuse_is_left_out() =>
        Read("""{"due":1,"exchange":"x","expiration":"soon"}""")!.Kept.Expiration.ShouldBeNull();

    [Fact]
    public void A_due_time_is_rounded_up_to_milliseconds_never_down()
    {
        var asked = Due.AddTicks(1);

        var read = Read(ScheduleHeader.Write(new ScheduleState { DueAt = asked, Kept = new KeptProperties { Exchange = "x" } }))!;

        read.DueAt.ShouldBe(Due.AddMilliseconds(1));
        new ScheduleState { DueAt = DateTimeOffset.MaxValue, Kept = KeptProperties.None }.DueAt.ShouldBe(DateTimeOffset.MaxValue);
    }

    // a text arrives as bytes
    private static ScheduleState? Read(string text) =>
        ScheduleHeader.Read(new Dictionary<string, object?> { [RetryHeaderNames.Schedule] = Encoding.UTF8.GetBytes(text) });
}
