using System.Net;
using Retry.Messaging.Configuration;
using Retry.Messaging.Http;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Configuration;

public class RetryRulesTests
{
    private interface IPayment;

    private sealed record Charge : IPayment;

    private sealed record Refund : IPayment;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_policy_is_found_by_the_most_derived_exception_type_outermost_first()
    {
        var rules = RetryRules.Create(retry =>
        {
            retry.Fixed(1 * Second);
            retry.For<FileNotFoundException>(policy => policy.Fixed(3 * Second));
            retry.For<IOException>(policy => policy.Fixed(2 * Second));
        });

        Nominal(rules.PolicyFor(new InvalidOperationException())).ShouldBe(1 * Second);
        Nominal(rules.PolicyFor(new IOException())).ShouldBe(2 * Second);
        Nominal(rules.PolicyFor(new FileNotFoundException())).ShouldBe(3 * Second);
        Nominal(rules.PolicyFor(new AggregateException(new TimeoutException(), new FileNotFoundException()))).ShouldBe(3 * Second);
        Nominal(rules.PolicyFor(new IOException("", new FileNotFoundException()))).ShouldBe(2 * Second);
    }

    [Fact]
    public void What_the_policy_of_an_exception_leaves_open_comes_from_the_point()
    {
        var rules = RetryRules.Create(retry =>
        {
            retry.Linear(Second, Second).Retries(4).Jitter(Jitter.Equal);
            retry.For<IOException>(policy => policy.Retries(1));
            retry.For<TimeoutException>(policy => policy.Fixed(9 * Second));
        });

        rules.PolicyFor(new IOException()).ToString().ShouldBe("Linear(first: 1s, increment: 1s, max: 1h).Retries(1).Jitter(Equal)");
        rules.PolicyFor(new TimeoutException()).ToString().ShouldBe("Fixed(9s).Retries(4).Jitter(Equal)");
    }

    [Fact]
    public void Settings_of_a_message_stand_over_those_of_the_point()
    {
        var rules = RetryRules.Create(retry =>
        {
            retry.Fixed(Second).Retries(4);
            retry.Fail<IOException>();
            retry.For<TimeoutException>(policy => policy.Retries(7));
            retry.ForMessage<Charge>(charge =>
            {
                charge.Retries(2);
                charge.ValidFor(TimeSpan.FromHours(1));
                charge.Done<IOException>();
                charge.RetryAfter<IOException>(_ => 8 * Second);
            });
        });

        rules.PolicyFor(new InvalidOperationException(), typeof(Charge)).ToString().ShouldBe("Fixed(1s).Retries(2)");
        rules.PolicyFor(new TimeoutException(), typeof(Charge)).MaxRetries.ShouldBe(7);
        rules.ValidForMessage(typeof(Charge)).ShouldBe(TimeSpan.FromHours(1));
        rules.Classify(new IOException(), typeof(Charge)).ShouldBe(Outcome.Ok);
        rules.RetryAfter(new IOException(), typeof(Charge)).ShouldBe(8 * Second);

        rules.PolicyFor(new InvalidOperationException(), typeof(Refund)).MaxRetries.ShouldBe(4);
        rules.Classify(new IOException(), typeof(Refund)).ShouldBe(Outcome.Fail);
        rules.Classify(new IOException()).ShouldBe(Outcome.Fail);
        rules.RetryAfter(new IOException()).ShouldBeNull();
        rules.ValidForMessage(null).ShouldBe(RetryDefaults.ValidFor);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Settings_of_an_interface_hold_for_its_messages_unless_they_have_their_own(bool interfaceFirst)
    {
        var rules = RetryRules.Create(retry =>
        {
            if (interfaceFirst)
            {
                retry.ForMessage<IPayment>(payment => payment.Retries(3));
            }

            retry.ForMessage<Charge>(charge => charge.Retries(2));
            if (!interfaceFirst)
            {
                retry.ForMessage<IPayment>(payment => payment.Retries(3));
            }
        });

        rules.PolicyFor(new TimeoutException(), typeof(Charge)).MaxRetries.ShouldBe(2);
        rules.PolicyFor(new TimeoutException(), typeof(Refund)).MaxRetries.ShouldBe(3);
        rules.PolicyFor(new TimeoutException(), typeof(IPayment)).MaxRetries.ShouldBe(3);
        rules.PolicyFor(new TimeoutException(), typeof(string)).MaxRetries.ShouldBe(8);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(-1L, null)]
    [InlineData(0L, null)]
    [InlineData(1L, 1L)]
    [InlineData(120L, 120L)]
    [InlineData(31_536_000L, 31_536_000L)]
    [InlineData(31_536_001L, 31_536_000L)]
    public void An_http_failure_knows_when_to_try_again(long? seconds, long? expected)
    {
        var failure = new HttpFailureException("x", HttpStatusCode.TooManyRequests, seconds is { } s ? TimeSpan.FromSeconds(s) : null);

        RetryRules.Default.RetryAfter(new InvalidOperationException("", failure)).ShouldBe(expected is { } e ? TimeSpan.FromSeconds(e) : null);
    }

    [Fact]
    public void A_selector_wins_over_the_built_in_one_unless_it_does_not_know()
    {
        var failure = new HttpFailureException("x", HttpStatusCode.TooManyRequests, 5 * Second);

        RetryRules.Create(retry => retry.RetryAfter<HttpFailureException>(_ => 9 * Second)).RetryAfter(failure).ShouldBe(9 * Second);
        RetryRules.Create(retry => retry.RetryAfter<HttpFailureException>(_ => TimeSpan.Zero)).RetryAfter(failure).ShouldBeNull();
        RetryRules.Create(retry => retry.RetryAfter<HttpFailureException>(_ => null)).RetryAfter(failure).ShouldBe(5 * Second);
        RetryRules.Create(retry => retry.RetryAfter<HttpFailureException>(_ => throw new InvalidOperationException())).RetryAfter(failure).ShouldBe(5 * Second);
        RetryRules.Create(retry => retry.RetryAfter<Exception>(_ => 9 * Second)).RetryAfter(failure).ShouldBe(5 * Second);
    }

    [Fact]
    public void An_ignored_exception_fails_and_only_handled_ones_are_tried_again()
    {
        RetryRules.Create(retry => retry.Ignore<IOException>()).Classify(new IOException()).ShouldBe(Outcome.Fail);
        var rules = RetryRules.Create(retry => retry.Handle<TimeoutException>());
        rules.Classify(new TimeoutException()).ShouldBe(Outcome.Error);
        rules.Classify(new IOException()).ShouldBe(Outcome.Fail);
    }

    [Fact]
    public void Wrong_settings_are_refused_all_at_once()
    {
        var thrown = Should.Throw<RetryConfigurationException>(() => RetryRules.Create(retry =>
        {
            retry.Exponential(factor: 0.5).Retries(-1);
            retry.ValidFor(TimeSpan.Zero);
        }));

        thrown.Findings.Select(finding => finding.Path).ShouldBe(["retry:Factor", "retry:Retries", "retry:ValidFor"]);
        thrown.Message.ShouldContain("- retry:Retries: found -1, wanted 0 (none) to 1000000");
    }

    [Fact]
    public void A_warning_does_not_stop_anybody() =>
        RetryRules.Create(retry => { retry.Fixed(TimeSpan.FromDays(2)); retry.ValidFor(TimeSpan.FromDays(1)); }).Policy.MaxRetries.ShouldBe(8);

    private static TimeSpan? Nominal(RetryPolicy policy) => policy.NominalDelay(1);
}
