using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Limiter.Pacing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter.Pacing;

public sealed class FineDelayTests
{
    /// <summary>Otherwise a loop that waits for the rest of a millisecond spins until somebody moves the clock.</summary>
    [Fact]
    public async Task On_a_clock_of_tests_it_waits_even_for_less_than_a_millisecond()
    {
        var clock = new FakeTimeProvider();

        var wait = FineDelay.WaitAsync(TimeSpan.FromMilliseconds(0.3), clock, CancellationToken.None);

        wait.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await wait.WaitAsync(TimeSpan.FromSeconds(20));
    }
}
