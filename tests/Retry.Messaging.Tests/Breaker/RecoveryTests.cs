using Retry.Messaging.Benchmarks.Metastable;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Breaker;

/// <summary>What <c>make metastable</c> ends by: 100 a second are offered, and the target is well again in second 30.</summary>
public class RecoveryTests
{
    [Fact]
    public void It_is_back_from_the_first_second_on_after_which_no_ten_are_below()
    {
        Of((30, 100), (20, 10), (50, 95)).After.ShouldBe(20);
        Of((30, 100), (70, 100)).After.ShouldBe(0);
        Of((30, 100), (20, 100), (10, 90), (40, 100)).After.ShouldBe(25, "a relapse counts, and five of ten seconds of it are enough");
        Of((30, 100), (70, 94)).After.ShouldBeNull();
    }

    [Fact]
    public void It_stayed_collapsed_where_no_ten_seconds_had_half_of_what_is_offered()
    {
        Of((30, 100), (70, 49)).StayedCollapsed.ShouldBeTrue();
        Of((30, 100), (30, 0), (10, 50), (30, 0)).StayedCollapsed.ShouldBeFalse();
        Of((35, 100)).StayedCollapsed.ShouldBeFalse("nothing was seen");
    }

    private static Recovery Of(params (int Seconds, int Answered)[] parts) => new(
        [.. parts.SelectMany(part => Enumerable.Repeat(new LedgerSecond(0, 0, part.Answered, 0), part.Seconds))], well: 30, offered: 100);
}
