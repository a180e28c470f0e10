using Retry.Messaging.Configuration;
using Retry.Messaging.Policies;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Configuration;

public class RetryPointBuilderTests
{
    [Fact]
    public void The_calls_of_the_documentation_compile_and_mean_what_they_say()
    {
        var rules = RetryRules.Create(retry =>
        {
            retry.Exponential(first: TimeSpan.FromSeconds(5), factor: 3, max: TimeSpan.FromHours(1)).Retries(8);
            retry.ValidFor(TimeSpan.FromHours(24));
            retry.Fail<UnauthorizedAccessException>();
            retry.Done<IOException>(exception => exception.HResult == 42);
            retry.For<TimeoutException>(busy => busy.Intervals("30s", "2m", "10m"));
            retry.ForMessage<string>(point => point.Immediate(2));
            retry.LimitRedelivery(perSecond: 200);
        });

        rules.ToString().ShouldBe("Exponential(first: 5s, factor: 3, max: 1h).Retries(8).Jitter(Full), valid for 1d");
        rules.PolicyFor(new TimeoutException()).ToString().ShouldBe("Intervals(30s, 2m, 10m).Retries(3)");
        rules.Limit.ShouldBe(new RedeliveryLimit(200, 1));
    }

    public static TheoryData<Action<RetryPolicyBuilder>, string> Policies => new()
    {
        { policy => policy.Exponential(), "Exponential(first: 5s, factor: 3, max: 1h).Retries(8).Jitter(Full)" },
        { policy => policy.Exponential().Jitter(Jitter.None), "Exponential(first: 5s, factor: 3, max: 1h).Retries(8)" },
        { policy => policy.Linear().UntilExpired(), "Linear(first: 5s, increment: 5s, max: 1h).UntilExpired()" },
        { policy => policy.Fixed(TimeSpan.FromSeconds(1)).Jitter(Jitter.Full), "Fixed(1s).Retries(8).Jitter(Full)" },
        { policy => policy.Intervals("100ms", "1m30s", "2h", "1d"), "Intervals(100ms, 1m30s, 2h, 1d).Retries(4)" },
        { policy => policy.Intervals(TimeSpan.FromSeconds(1)), "Intervals(1s).Retries(1)" },
        { policy => policy.Immediate(0), "Immediate.Retries(0)" },
        { policy => policy.Custom(n => TimeSpan.FromSeconds(n)).Retries(1), "Custom.Retries(1)" },
        { policy => policy.Retries(0), "Exponential(first: 5s, factor: 3, max: 1h).Retries(0).Jitter(Full)" },
        { policy => { policy.Exponential(first: TimeSpan.FromSeconds(1)); policy.Exponential(factor: 2); }, "Exponential(first: 1s, factor: 2, max: 1h).Retries(8).Jitter(Full)" },
        { policy => { policy.Exponential(first: TimeSpan.FromSeconds(1)); policy.Linear(); }, "Linear(first: 5s, increment: 5s, max: 1h).Retries(8)" },
        { policy => { policy.Intervals("1s"); policy.Immediate(4); policy.Fixed(TimeSpan.FromSeconds(1)); }, "Fixed(1s).Retries(8)" },
    };

    [Theory]
    [MemberData(nameof(Policies))]
    public void Of_several_calls_the_last_kind_counts(Action<RetryPolicyBuilder> configure, string expected)
    {
        ArgumentNullException.ThrowIfNull(configure);
        RetryRules.Create(configure).Policy.ToString().ShouldBe(expected);
    }

    [Fact]
    public void A_text_that_is_no_duration_is_refused_at_the_call() =>
        Should.Throw<FormatException>(() => RetryRules.Create(retry => retry.Intervals("30s", "2 minutes"))).Message.ShouldContain("2 minutes");

    [Fact]
    public void A_builder_goes_on_where_another_stopped()
    {
        var settings = new RetryPointBuilder().Settings;
        new RetryPointBuilder(settings).Retries(3);
        new RetryPointBuilder(settings).Fixed(TimeSpan.FromSeconds(1));

        RetryRules.Compile(settings).Policy.ToString().ShouldBe("Fixed(1s).Retries(3)");
    }
}
