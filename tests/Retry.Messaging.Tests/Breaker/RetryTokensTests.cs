using Retry.Messaging.Breaker;
using Retry.Messaging.Configuration;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Breaker;

public class RetryTokensTests
{
    private static readonly RetryBudget OneInFive = new(0.2, 1);

    /// <summary>Whatever comes and goes: no window has more than its seconds and the ten before it have earned.</summary>
    [Theory]
    [InlineData(0.2, 1)]
    [InlineData(0.2, 0.05)]
    [InlineData(1, 5)]
    [InlineData(0, 2)]
    public void No_window_has_more_than_was_earned_in_it_and_in_the_ten_seconds_before(double share, double floor)
    {
        const int Seconds = 300;
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var tokens = Begin(new RetryBudget(share, floor));
            var (earned, taken) = (new double[Seconds], new int[Seconds]);
            for (var second = 0; second < Seconds; second++)
            {
                var perPulse = random.Next(3) == 0 ? 0 : random.Next(100);
                for (var pulse = 0; pulse < 3; pulse++)
                {
                    var now = second + ((pulse + random.NextDouble()) / 3);
                    tokens.Earn(perPulse, now);
                    earned[second] += share * perPulse;
                    for (var wanted = random.Next(4) == 0 ? 0 : random.Next(200); wanted > 0 && tokens.Left(now) >= 1; wanted--)
                    {
                        tokens.Take(now);
                        taken[second]++;
                    }
                }

                earned[second] = Math.Max(earned[second], floor);
            }

            taken.Sum().ShouldBeGreaterThan((int)(earned.Sum() / 3), "some of it is used");
            foreach (var length in new[] { 1, 10, 60 })
            {
                for (var first = 0; first + length <= Seconds; first++)
                {
                    var from = Math.Max(first - RetryTokens.Life, 0);
                    ((double)taken.Skip(first).Take(length).Sum()).ShouldBeLessThanOrEqualTo(Math.Max(earned.Skip(from).Take(first + length - from).Sum(), 1) + 1e-3);
                }
            }
        }
    }

    [Fact]
    public void One_in_five_successes_earns_a_retry_at_once()
    {
        var tokens = Begin(OneInFive);

        tokens.Earn(4, 0.1);
        Room(tokens, 0.1).ShouldBe(0);
        tokens.Earn(11, 0.2);
        Room(tokens, 0.2).ShouldBe(3);
        tokens.Take(0.3);
        Room(tokens, 0.3).ShouldBe(2);
    }

    [Theory]
    [InlineData(1, 60)]
    [InlineData(3, 180)]
    [InlineData(0.1, 6)]
    [InlineData(1.0 / 60, 1)]
    public void The_floor_flows_however_few_succeed(double floor, int inAMinute)
    {
        var tokens = Begin(new RetryBudget(0.2, floor));
        var taken = 0;
        for (var now = 0.01; now < 60.5; now += RetryTokens.Next(now))
        {
            for (; tokens.Left(now) >= 1; taken++)
            {
                tokens.Take(now);
            }
        }

        taken.ShouldBe(inAMinute);
    }

    [Fact]
    public void A_second_earns_the_share_or_the_floor_and_not_both()
    {
        var tokens = Begin(OneInFive);
        for (var second = 0; second < 10; second++)
        {
            tokens.Earn(second % 2 == 0 ? 50 : 0, second + 0.5);
        }

        // five seconds of ten, five of one
        Room(tokens, 10).ShouldBe(55);
    }

    [Fact]
    public void What_was_not_used_within_ten_seconds_is_gone()
    {
        var tokens = Begin(OneInFive);
        tokens.Earn(500, 0);
        Room(tokens, 10).ShouldBe(109);
        Room(tokens, 12).ShouldBe(10);
        Room(tokens, 3600).ShouldBe(10);
    }

    [Fact]
    public void A_successor_begins_with_nothing()
    {
        var tokens = Begin(OneInFive);
        tokens.Earn(500, 3);
        tokens.Clear(60.5);

        Room(tokens, 60.9).ShouldBe(0);
        Room(tokens, 61).ShouldBe(1);
    }

    [Fact]
    public void Another_budget_holds_from_now_on()
    {
        var tokens = Begin(OneInFive);
        tokens.Earn(50, 0);
        tokens.Change(new RetryBudget(1, 1), 0.5);
        tokens.Earn(50, 0.6);

        Room(tokens, 0.7).ShouldBe(60);
    }

    private static RetryTokens Begin(RetryBudget budget)
    {
        var tokens = new RetryTokens();
        tokens.Change(budget, 0);
        return tokens;
    }

    private static int Room(RetryTokens tokens, double now) => (int)tokens.Left(now);
}
