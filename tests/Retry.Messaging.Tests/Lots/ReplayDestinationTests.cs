using Retry.Messaging.RabbitMq.Lots;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

public sealed class ReplayDestinationTests
{
    [Theory]
    // consumers of the work queue, of the release queue, who paused; where to, deserted, what is said
    [InlineData(0, null, null, "work", false, null)]
    [InlineData(3, null, null, "work", false, null)]
    [InlineData(3, 1, null, "release", false, null)]
    [InlineData(0, 1, null, "release", false, null)]
    [InlineData(3, 0, null, "work", false, "'retryctl limiter run --point work'")]
    [InlineData(0, 0, null, "release", true, "'retryctl limiter run --point work'")]
    [InlineData(3, 0, "ann", "release", false, "'retryctl limiter resume work'")]
    [InlineData(0, 0, "ann", "release", false, "'retryctl limiter resume work'")]
    public void Goes_where_somebody_takes_it_and_never_past_a_pause(long work, int? release, string? pausedBy, string queue, bool deserted, string? said)
    {
        var destination = ReplayDestination.Choose("work", work, "release", release, pausedBy);
        destination.Queue.ShouldBe(queue);
        destination.IsDeserted.ShouldBe(deserted);
        if (said is null)
        {
            destination.Note.ShouldBeNull();
        }
        else
        {
            destination.Note.ShouldNotBeNull().ShouldContain(said);
        }
    }
}
