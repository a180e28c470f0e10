using System.Net;
using System.Reflection;
using Retry.Messaging.Outcomes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Outcomes;

public class OutcomeClassifierTests
{
    [Fact]
    public void An_unknown_exception_is_an_error() =>
        Classify(new InvalidOperationException()).ShouldBe(Outcome.Error);

    [Fact]
    public void A_rule_fits_its_type_and_derived_ones()
    {
        var rule = OutcomeRule.For<IOException>(Outcome.Fail);

        Classify(new IOException("x"), rule).ShouldBe(Outcome.Fail);
        Classify(new FileNotFoundException("x"), rule).ShouldBe(Outcome.Fail);
        Classify(new InvalidOperationException(), rule).ShouldBe(Outcome.Error);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_most_derived_type_wins_in_any_order(bool derivedFirst)
    {
        OutcomeRule[] rules = [OutcomeRule.For<FileNotFoundException>(Outcome.Ok), OutcomeRule.For<IOException>(Outcome.Fail), OutcomeRule.For<Exception>(Outcome.Error)];

        Classify(new FileNotFoundException("x"), derivedFirst ? rules : [.. rules.Reverse()]).ShouldBe(Outcome.Ok);
    }

    [Fact]
    public void The_later_of_two_rules_for_a_type_wins()
    {
        var fail = OutcomeRule.For<IOException>(Outcome.Fail);
        var done = OutcomeRule.For<IOException>(Outcome.Ok);

        Classify(new IOException("x"), fail, done).ShouldBe(Outcome.Ok);
        Classify(new IOException("x"), done, fail).ShouldBe(Outcome.Fail);
    }

    [Fact]
    public void A_predicate_that_says_no_leaves_the_exception_to_the_next_rule()
    {
        OutcomeRule[] rules =
        [
            OutcomeRule.For<IOException>(Outcome.Fail),
            OutcomeRule.For<IOException>(Outcome.Ok, exception => exception.Message == "already booked"),
        ];

        Classify(new IOException("already booked"), rules).ShouldBe(Outcome.Ok);
        Classify(new IOException("größe"), rules).ShouldBe(Outcome.Fail);
    }

    [Fact]
    public void A_predicate_that_throws_counts_as_no() =>
        Classify(new IOException("x"), OutcomeRule.For<IOException>(Outcome.Fail, _ => throw new InvalidOperationException()))
            .ShouldBe(Outcome.Error);

    [Fact]
    public void Inner_exceptions_are_looked_at() =>
        Classify(
            new InvalidOperationException("", new InvalidOperationException("", new IOException("x"))),
            OutcomeRule.For<IOException>(Outcome.Fail)).ShouldBe(Outcome.Fail);

    [Fact]
    public void The_outermost_match_wins_even_over_a_more_derived_type_inside() =>
        Classify(
            new InvalidOperationException("", new FileNotFoundException("x")),
            OutcomeRule.For<FileNotFoundException>(Outcome.Fail),
            OutcomeRule.For<InvalidOperationException>(Outcome.Ok)).ShouldBe(Outcome.Ok);

    [Fact]
    public void Every_member_of_an_aggregate_is_looked_at_and_the_most_derived_match_wins()
    {
        var aggregate = new AggregateException(new InvalidOperationException(), new IOException("x"), new FileNotFoundException("x"));

        Classify(aggregate, OutcomeRule.For<IOException>(Outcome.Fail), OutcomeRule.For<FileNotFoundException>(Outcome.Ok)).ShouldBe(Outcome.Ok);
        Classify(aggregate, OutcomeRule.For<IOException>(Outcome.Fail)).ShouldBe(Outcome.Fail);
    }

    [Fact]
    public void Once_something_is_handled_everything_else_fails()
    {
        OutcomeRule[] rules = [OutcomeRule.Handle<TimeoutException>(), OutcomeRule.For<IOException>(Outcome.Ok)];

        Classify(new TimeoutException(), rules).ShouldBe(Outcome.Error);
        Classify(new InvalidOperationException("", new TimeoutException()), rules).ShouldBe(Outcome.Error);
        Classify(new IOException("x"), rules).ShouldBe(Outcome.Ok);
        Classify(new InvalidOperationException(), rules).ShouldBe(Outcome.Fail);
        Classify(new HttpRequestException("", null, HttpStatusCode.ServiceUnavailable), rules).ShouldBe(Outcome.Fail);
    }

    [Fact]
    public void A_handled_type_whose_predicate_says_no_fails() =>
        Classify(new TimeoutException(), OutcomeRule.Handle<TimeoutException>(_ => false)).ShouldBe(Outcome.Fail);

    [Theory]
    [InlineData(404, Outcome.Fail)]
    [InlineData(429, Outcome.Error)]
    [InlineData(503, Outcome.Error)]
    public void Http_statuses_are_known_without_a_rule(int status, Outcome expected)
    {
        var exception = new HttpRequestException("", null, (HttpStatusCode)status);

        Classify(exception).ShouldBe(expected);
        Classify(new InvalidOperationException("", exception)).ShouldBe(expected);
        Classify(new AggregateException(new TimeoutException(), exception)).ShouldBe(expected);
    }

    [Fact]
    public void A_rule_wins_over_what_http_says()
    {
        var notFound = new InvalidOperationException("", new HttpRequestException("", null, HttpStatusCode.NotFound));

        Classify(notFound, OutcomeRule.For<HttpRequestException>(Outcome.Ok)).ShouldBe(Outcome.Ok);
        Classify(notFound, OutcomeRule.For<Exception>(Outcome.Error)).ShouldBe(Outcome.Error);
    }

    [Fact]
    public void Time_outs_and_cancellations_are_errors()
    {
        Classify(new TimeoutException()).ShouldBe(Outcome.Error);
        Classify(new TaskCanceledException()).ShouldBe(Outcome.Error);
        Classify(new OperationCanceledException()).ShouldBe(Outcome.Error);
        Classify(new TaskCanceledException("", new TimeoutException())).ShouldBe(Outcome.Error);
    }

    [Fact]
    public void A_circle_of_inner_exceptions_ends()
    {
        var inner = new InvalidOperationException();
        var outer = new InvalidOperationException("", inner);
        typeof(Exception).GetField("_innerException", BindingFlags.Instance | BindingFlags.NonPublic)!.SetValue(inner, outer);

        Classify(outer, OutcomeRule.For<IOException>(Outcome.Fail)).ShouldBe(Outcome.Error);
    }

    [Fact]
    public void A_very_long_chain_ends()
    {
        Exception exception = new IOException("x");
        for (var i = 0; i < 100_000; i++)
        {
            exception = new InvalidOperationException("", exception);
        }

        Classify(exception, OutcomeRule.For<IOException>(Outcome.Fail)).ShouldBe(Outcome.Error);
    }

    [Fact]
    public void An_exception_whose_own_members_throw_is_classified()
    {
        Classify(new HostileException()).ShouldBe(Outcome.Error);
        Classify(new InvalidOperationException("", new HostileException()), OutcomeRule.For<HostileException>(Outcome.Fail)).ShouldBe(Outcome.Fail);
    }

    private static Outcome Classify(Exception exception, params OutcomeRule[] rules) => new OutcomeClassifier(rules).Classify(exception);

    private sealed class HostileException : Exception
    {
        public override string Message => throw new InvalidOperationException();

        public override string? StackTrace => throw new InvalidOperationException();

        public override string ToString() => throw new InvalidOperationException();

        public override Exception GetBaseException() => throw new InvalidOperationException();

        public override bool Equals(object? obj) => throw new InvalidOperationException();

        public override int GetHashCode() => throw new InvalidOperationException();
    }
}
