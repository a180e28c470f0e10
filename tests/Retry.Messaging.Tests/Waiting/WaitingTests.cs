using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Waiting;

/// <summary>What the other tests wait with.</summary>
public class WaitingTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Eventually_looks_again_until_the_condition_holds()
    {
        var looks = 0;

        await Eventually.TrueAsync(() => ++looks == 3, Deadline);

        looks.ShouldBe(3);
    }

    [Fact]
    public async Task Eventually_tells_what_was_found_instead()
    {
        var late = await Eventually.TrueAsync(() => false, Moment, () => "1 of 2 arrived").ShouldThrowAsync<TimeoutException>();

        late.Message.ShouldBe("Not within 00:00:00.0600000: 1 of 2 arrived.");
        (await Eventually.IsTrueAsync(() => false, Moment)).ShouldBeFalse();
    }

    [Fact]
    public async Task Never_fails_at_once_with_what_was_found()
    {
        var looks = 0;

        var failure = await Assert.ThrowsAsync<ShouldAssertException>(() => Never.TrueAsync(() => ++looks == 2, Deadline, () => $"look {looks}"));

        failure.Message.ShouldEndWith("look 2.");
    }

    [Fact]
    public async Task Never_looks_once_more_when_the_time_is_over()
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var last = TimeSpan.Zero;

        await Never.TrueAsync(() => (last = clock.Elapsed) < TimeSpan.Zero, Moment);

        last.ShouldBeGreaterThanOrEqualTo(Moment);
    }
}
