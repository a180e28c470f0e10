using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Wire;

public class ScheduleTokenTests
{
    [Theory]
    [InlineData("2026-11-29T12:00:00.123Z")]
    [InlineData("1970-01-01T00:00:00Z")]
    [InlineData("2062-01-01T00:00:00.999Z")]
    [InlineData("9999-12-31T23:59:59.999Z")]
    public void A_token_tells_when_its_message_is_due(string due)
    {
        var time = DateTimeOffset.Parse(due, System.Globalization.CultureInfo.InvariantCulture);

        ScheduleToken.DueOf(ScheduleToken.Create(time)).ShouldBe(time);
    }

    [Fact]
    public void What_was_due_before_1970_is_due_then() =>
        ScheduleToken.DueOf(ScheduleToken.Create(DateTimeOffset.MinValue)).ShouldBe(DateTimeOffset.UnixEpoch);

    [Fact]
    public void Two_tokens_for_one_moment_are_different_and_of_version_8()
    {
        var (one, other) = (ScheduleToken.Create(DateTimeOffset.UnixEpoch), ScheduleToken.Create(DateTimeOffset.UnixEpoch));

        one.ShouldNotBe(other);
        (one.Version, one.Variant & 0b1100).ShouldBe((8, 0b1000));
    }

    [Fact]
    public void Tokens_of_others_tell_nothing()
    {
        ScheduleToken.DueOf(Guid.NewGuid()).ShouldBeNull();
        ScheduleToken.DueOf(Guid.CreateVersion7()).ShouldBeNull();
        ScheduleToken.DueOf(global::MassTransit.NewId.NextGuid()).ShouldBeNull();
        ScheduleToken.DueOf(Guid.Empty).ShouldBeNull();
        ScheduleToken.DueOf(Guid.AllBitsSet).ShouldBeNull();
    }
}
