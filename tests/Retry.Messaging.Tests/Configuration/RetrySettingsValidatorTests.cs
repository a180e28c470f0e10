using Retry.Messaging.Configuration;
using Retry.Messaging.Policies;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Configuration;

public class RetrySettingsValidatorTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);

    public static TheoryData<Action<RetryPointBuilder>, string> Wrong => new()
    {
        { point => point.Exponential(first: -Second), "p:First: found -1s, wanted a duration from 0s to 365d" },
        { point => point.Exponential(first: TimeSpan.MinValue), "p:First: found -10675199d" },
        { point => point.Exponential(max: Year + Second), "p:Max: found 365d1s, wanted a duration from 0s to 365d" },
        { point => point.Exponential(factor: 0.99), "p:Factor: found 0.99, wanted a finite number of 1 or more" },
        { point => point.Exponential(factor: double.NaN), "p:Factor: found NaN" },
        { point => point.Exponential(first: 60 * Second, max: Second), "p:Max: found 1s, wanted at least First, 1m" },
        { point => point.Exponential(max: Second), "p:Max: found 1s, wanted at least First, 5s" },
        { point => point.Linear(increment: -Second), "p:Increment: found -1s" },
        { point => point.Fixed(-Second), "p:Delay: found -1s" },
        { point => point.Intervals(Array.Empty<TimeSpan>()), "p:Intervals: found none, wanted at least one" },
        { point => point.Intervals(Second, -Second), "p:Intervals:1: found -1s" },
        { point => point.Immediate(-1), "p:Retries: found -1, wanted 0 (none) to 1000000" },
        { point => point.Retries(-1), "p:Retries: found -1, wanted 0 (none) to 1000000" },
        { point => point.Retries(1_000_001), "p:Retries: found 1000001" },
        { point => point.Retries(int.MinValue), "p:Retries: found -2147483648" },
        { point => point.Jitter((Jitter)9), "p:Jitter: found 9, wanted one of None, Full, Equal, Decorrelated" },
        { point => point.Immediate(1).UntilExpired(), "p:Retries: found UntilExpired with delays of zero" },
        { point => point.Fixed(TimeSpan.Zero).UntilExpired(), "p:Retries: found UntilExpired with delays of zero" },
        { point => point.Custom(_ => throw new InvalidOperationException()), "p:Custom: found a function that throws InvalidOperationException for retry 1" },
        { point => point.ValidFor(TimeSpan.Zero), "p:ValidFor: found 0s, wanted more than 0s and at most 3650d" },
        { point => point.ReleasableWithin(TimeSpan.FromSeconds(1.9)), "p:ReleasableWithin: found 1s900ms, wanted 2s to 1d" },
        { point => point.ReleasableWithin(TimeSpan.FromDays(1.1)), "p:ReleasableWithin: found " },
        { point => point.ValidFor(TimeSpan.MaxValue), "p:ValidFor: found 10675199d" },
        { point => point.AttemptTimeout(TimeSpan.Zero), "p:AttemptTimeout: found 0s, wanted more than 0s" },
        { point => point.AttemptTimeout(TimeSpan.FromDays(49) + Second), "p:AttemptTimeout: found 49d1s, wanted more than 0s and at most 49d" },
        { point => point.Tenant(" "), "p:Tenant: found ' ', wanted the name of a header, 1 to 255 bytes" },
        { point => point.Tenant(new string('ü', 128)), "p:Tenant: found 'üü" },
        { point => point.LimitRedelivery(0), "p:Limit:PerSecond: found 0, wanted 1/3600 (one an hour) to 1000000" },
        { point => point.LimitRedelivery(-1), "p:Limit:PerSecond: found -1" },
        { point => point.LimitRedelivery(0.0002), "p:Limit:PerSecond: found 0.0002" },
        { point => point.LimitRedelivery(double.NaN), "p:Limit:PerSecond: found NaN" },
        { point => point.LimitRedelivery(double.PositiveInfinity), "p:Limit:PerSecond: found Infinity" },
        { point => point.LimitRedelivery(1, burst: 0), "p:Limit:Burst: found 0, wanted 1 to 1000000 messages" },
        { point => point.RetryBudget(-0.1), "p:RetryBudget: found -0.1, wanted 0 to 10 retries for each success, such as 0.2" },
        { point => point.RetryBudget(20), "p:RetryBudget: found 20, wanted 0 to 10" },
        { point => point.RetryBudget(double.NaN), "p:RetryBudget: found NaN" },
        { point => point.RetryBudget(0.2, 0), "p:RetryBudgetFloor: found 0, wanted 1/3600 (one an hour) to 1000000 messages per second" },
        { point => point.For<IOException>(policy => policy.Fixed(-Second)), "p:For<IOException>:Delay: found -1s" },
        { point => point.ForMessage<string>(message => message.Retries(-1)), "p:ForMessage<String>:Retries: found -1" },
        { point => point.ForMessage<string>(message => message.For<IOException>(policy => policy.Retries(-1))), "p:ForMessage<String>:For<IOException>:Retries: found -1" },
        { point => { point.Exponential(first: 60 * Second); point.For<IOException>(policy => policy.Exponential(max: Second)); }, "p:For<IOException>:Max: found 1s, wanted at least First, 1m" },
        { point => { point.Immediate(1); point.ForMessage<string>(message => message.UntilExpired()); }, "p:ForMessage<String>:Retries: found UntilExpired with delays of zero" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_setting_is_one_error_with_found_and_wanted(Action<RetryPointBuilder> configure, string expected)
    {
        var finding = Findings(configure).ShouldHaveSingleItem();

        finding.Severity.ShouldBe(FindingSeverity.Error);
        finding.ToString().ShouldStartWith(expected);
    }

    public static TheoryData<Action<RetryPointBuilder>> Right =>
    [
        _ => { },
        point => point.Exponential(TimeSpan.Zero, 1, TimeSpan.Zero),
        point => point.Exponential(first: 2 * TimeSpan.FromHours(1)),
        point => { point.Exponential(max: Year).Retries(8); point.ValidFor(TimeSpan.FromDays(3650)); },
        point => point.Retries(0),
        point => point.Fixed(TimeSpan.Zero).Retries(1_000_000),
        point => point.Immediate(0),
        point => point.Fixed(TimeSpan.FromDays(30)).UntilExpired(),
        point => point.Intervals("0s", "1s").UntilExpired(),
        point => { point.Fixed(TimeSpan.FromDays(20)).Retries(1); point.ValidFor(TimeSpan.FromDays(20)); },
        point => point.ValidFor(TimeSpan.FromTicks(1)),
        point => point.LimitRedelivery(1.0 / 3600),
        point => point.LimitRedelivery(1_000_000, burst: 1_000_000),
        point => point.RetryBudget(0, 1.0 / 3600),
        point => point.RetryBudget(10, 1_000_000),
        point => point.Tenant("größe"),
        point => point.Tenant(new string('x', 255)),
        point => { point.Immediate(1); point.For<IOException>(policy => policy.Fixed(Second)); },
    ];

    [Theory]
    [MemberData(nameof(Right))]
    public void A_setting_at_the_end_of_its_range_is_no_error(Action<RetryPointBuilder> configure) =>
        Findings(configure).ShouldAllBe(finding => finding.Severity == FindingSeverity.Warning);

    [Fact]
    public void Delays_beyond_the_validity_period_are_a_warning()
    {
        var finding = Findings(point => { point.Fixed(TimeSpan.FromHours(1)).Retries(5); point.ValidFor(TimeSpan.FromHours(3)); }).ShouldHaveSingleItem();

        finding.Severity.ShouldBe(FindingSeverity.Warning);
        finding.ToString().ShouldStartWith("p:ValidFor: found 3h, wanted at least the delays of 5 retries: the first 4 alone take 4h");
    }

    [Fact]
    public void Delays_that_just_fit_the_validity_period_are_no_finding()
    {
        Findings(point => { point.Fixed(TimeSpan.FromHours(1)).Retries(3); point.ValidFor(TimeSpan.FromHours(3)); }).ShouldBeEmpty();
        Findings(point => { point.Fixed(TimeSpan.FromHours(1)).UntilExpired(); point.ValidFor(TimeSpan.FromHours(3)); }).ShouldBeEmpty();
        Findings(_ => { }).ShouldBeEmpty();
    }

    [Fact]
    public void The_validity_period_of_a_message_is_compared_with_its_own_policy()
    {
        var finding = Findings(point =>
        {
            point.Fixed(TimeSpan.FromHours(1)).Retries(5);
            point.ForMessage<string>(message => message.ValidFor(TimeSpan.FromMinutes(1)));
        }).ShouldHaveSingleItem();

        finding.Path.ShouldBe("p:ForMessage<String>:ValidFor");
    }

    [Fact]
    public void Decorrelated_jitter_where_it_has_nothing_to_draw_from_is_a_warning() =>
        Findings(point => point.Fixed(Second).Jitter(Jitter.Decorrelated)).ShouldHaveSingleItem().Severity.ShouldBe(FindingSeverity.Warning);

    [Fact]
    public void A_parameter_of_another_policy_is_an_error_that_says_whose_it_is()
    {
        var layer = new RetryPointSettings { Policy = new PolicySettings { Factor = 2 } };
        var code = new RetryPointSettings { Policy = new PolicySettings { Kind = PolicyKind.Fixed } };

        RetrySettingsValidator.Validate(RetryPointSettings.Merge([layer, code]), "p").ShouldHaveSingleItem()
            .ToString().ShouldBe("p:Factor: found beside policy Fixed, wanted with Exponential; name that policy here, or take Factor away");
    }

    [Fact]
    public void A_burst_without_a_rate_is_an_error_of_the_whole_not_of_a_layer()
    {
        var layer = new RetryPointSettings { LimitBurst = 5 };

        RetrySettingsValidator.ValidateLayer(layer, "p").ShouldBeEmpty();
        RetrySettingsValidator.Validate(layer, "p").ShouldHaveSingleItem().Path.ShouldBe("p:Limit:PerSecond");
    }

    [Fact]
    public void All_problems_are_reported_at_once() =>
        Findings(point =>
        {
            point.Exponential(-Second, 0, -Second).Retries(-1);
            point.ValidFor(-Second);
            point.LimitRedelivery(0, 0);
        }).Select(finding => finding.Path).ShouldBe(["p:First", "p:Max", "p:Factor", "p:Retries", "p:ValidFor", "p:Limit:PerSecond", "p:Limit:Burst"]);

    private static IReadOnlyList<RetryFinding> Findings(Action<RetryPointBuilder> configure)
    {
        var builder = new RetryPointBuilder();
        configure(builder);
        return RetrySettingsValidator.Validate(builder.Settings, "p");
    }
}
