using Retry.Messaging.Configuration;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Configuration;

public class RetryPointSettingsTests
{
    [Fact]
    public void Nothing_said_gives_the_defaults() =>
        RetryRules.Compile(RetryPointSettings.Merge([])).ToString().ShouldBe("Exponential(first: 5s, factor: 3, max: 1h).Retries(8).Jitter(Full), valid for 7d");

    [Fact]
    public void Each_setting_comes_from_the_highest_layer_that_has_it()
    {
        var rules = Merged(
            point => point.Retries(2),
            point => { point.Retries(3); point.ValidFor(TimeSpan.FromHours(1)); point.LimitRedelivery(5); },
            point => { point.Exponential(first: TimeSpan.FromSeconds(1)).Jitter(Jitter.Equal); point.Tenant("tenant"); point.Isolated(); },
            point => { point.LimitRedelivery(7, burst: 9); point.AttemptTimeout(TimeSpan.FromSeconds(4)); point.Exponential(factor: 2); });

        rules.Policy.ToString().ShouldBe("Exponential(first: 1s, factor: 2, max: 1h).Retries(2).Jitter(Equal)");
        rules.ValidForMessage().ShouldBe(TimeSpan.FromHours(1));
        rules.Limit.ShouldBe(new RedeliveryLimit(5, 1));
        rules.TenantHeader.ShouldBe("tenant");
        rules.Isolated.ShouldBeTrue();
        rules.AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public void A_floor_of_a_higher_layer_belongs_to_the_share_of_a_lower_one()
    {
        var floor = new RetryPointSettings { BudgetFloor = 3 };

        Merged(floor, Layer(point => point.RetryBudget())).Budget.ShouldBe(new RetryBudget(0.2, 3));
        Merged(Layer(point => point.RetryBudget(0.5, 2))).NeedsReleaseQueue.ShouldBeTrue();
        Merged(_ => { }).Budget.ShouldBeNull();
        Should.Throw<RetryConfigurationException>(() => Merged(floor)).Message.ShouldContain("RetryBudget: found none beside RetryBudgetFloor");
    }

    [Fact]
    public void A_higher_layer_may_take_isolation_back() =>
        Merged(point => point.Isolated(false), point => point.Isolated()).Isolated.ShouldBeFalse();

    [Fact]
    public void Another_kind_of_policy_does_not_take_over_parameters_but_retries_and_jitter() =>
        Merged(
            point => point.Linear(increment: TimeSpan.FromSeconds(2)),
            point => point.Exponential(TimeSpan.FromMinutes(1), 2, TimeSpan.FromMinutes(2)).Retries(3).Jitter(Jitter.Equal))
            .Policy.ToString().ShouldBe("Linear(first: 5s, increment: 2s, max: 1h).Retries(3).Jitter(Equal)");

    [Fact]
    public void A_parameter_without_a_kind_changes_the_kind_below()
    {
        var layer = new RetryPointSettings { Policy = new PolicySettings { First = TimeSpan.FromSeconds(9) } };

        Merged(layer, Layer(point => point.Linear(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2))))
            .Policy.ToString().ShouldBe("Linear(first: 9s, increment: 2s, max: 1h).Retries(8)");
    }

    [Fact]
    public void A_parameter_without_a_kind_at_the_bottom_belongs_to_the_default_kind()
    {
        var defaults = new RetryPointSettings { Policy = new PolicySettings { First = TimeSpan.FromSeconds(9) } };

        Merged(Layer(point => point.Linear()), defaults).Policy.ToString().ShouldStartWith("Linear(first: 5s");
        Merged(Layer(point => point.Exponential()), defaults).Policy.ToString().ShouldStartWith("Exponential(first: 9s");
    }

    [Fact]
    public void A_first_delay_above_the_default_cap_lifts_the_cap() =>
        Merged(point => point.Exponential(first: TimeSpan.FromHours(2)))
            .Policy.Schedule.ToString().ShouldBe("Exponential(first: 2h, factor: 3, max: 2h)");

    [Fact]
    public void Intervals_bring_their_number_of_retries_and_hide_that_of_lower_layers() =>
        Merged(point => point.Intervals("1s", "2s", "3s"), point => point.Retries(8)).Policy.MaxRetries.ShouldBe(3);

    [Fact]
    public void The_number_of_an_immediate_policy_does_not_become_that_of_another_kind()
    {
        Merged(point => point.Fixed(TimeSpan.FromSeconds(1)), point => point.Immediate(3)).Policy.MaxRetries.ShouldBe(RetryDefaults.Retries);
        Merged(point => point.Immediate(3)).Policy.ToString().ShouldBe("Immediate.Retries(3)");
        Merged(point => point.Retries(5), point => point.Immediate(3)).Policy.MaxRetries.ShouldBe(5);
    }

    [Theory]
    [InlineData(0, "Intervals(1s, 2s).Retries(0)")]
    [InlineData(1, "Intervals(1s, 2s).Retries(1)")]
    [InlineData(2, "Intervals(1s, 2s).Retries(2)")]
    [InlineData(3, "Intervals(1s, 2s, …).Retries(3)")]
    public void More_retries_than_intervals_repeat_the_last(int retries, string expected) =>
        Merged(point => point.Intervals("1s", "2s").Retries(retries)).Policy.ToString().ShouldBe(expected);

    [Fact]
    public void Intervals_until_expired_repeat_the_last() =>
        Merged(point => point.Intervals("1s", "2s").UntilExpired()).Policy.ToString().ShouldBe("Intervals(1s, 2s, …).UntilExpired()");

    [Fact]
    public void Until_expired_in_a_higher_layer_hides_a_number() =>
        Merged(point => point.UntilExpired(), point => point.Retries(8)).Policy.MaxRetries.ShouldBeNull();

    [Fact]
    public void Of_rules_for_one_type_the_higher_layer_wins_and_a_derived_type_over_both()
    {
        var rules = Merged(point => point.Done<IOException>(), point => { point.Fail<IOException>(); point.Fail<FileNotFoundException>(); });

        rules.Classify(new IOException()).ShouldBe(Outcome.Ok);
        rules.Classify(new FileNotFoundException()).ShouldBe(Outcome.Fail);
    }

    [Fact]
    public void Policies_for_one_exception_merge_over_the_layers()
    {
        var rules = Merged(
            point => point.For<IOException>(busy => busy.Retries(2)),
            point => point.For<IOException>(busy => busy.Fixed(TimeSpan.FromSeconds(3)).Retries(5)));

        rules.PolicyFor(new IOException()).ToString().ShouldBe("Fixed(3s).Retries(2)");
    }

    [Fact]
    public void Settings_for_one_message_merge_over_the_layers()
    {
        var rules = Merged(
            point => point.ForMessage<string>(message => message.ValidFor(TimeSpan.FromHours(1))),
            point => point.ForMessage<string>(message => message.Fixed(TimeSpan.FromSeconds(3))));

        rules.ValidForMessage(typeof(string)).ShouldBe(TimeSpan.FromHours(1));
        rules.PolicyFor(new IOException(), typeof(string)).ToString().ShouldBe("Fixed(3s).Retries(8)");
    }

    private static RetryPointSettings Layer(Action<RetryPointBuilder> configure)
    {
        var builder = new RetryPointBuilder();
        configure(builder);
        return builder.Settings;
    }

    private static RetryRules Merged(params Action<RetryPointBuilder>[] highestFirst) => Merged([.. highestFirst.Select(Layer)]);

    private static RetryRules Merged(params RetryPointSettings[] highestFirst) => RetryRules.Compile(RetryPointSettings.Merge(highestFirst));
}
