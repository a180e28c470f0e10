using System.Text;
using Retry.Messaging.Operations.Rules;
using Retry.Messaging.RabbitMq.Control;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Rules;

/// <summary>Rules as documents: read back as they were written, and never read as less than they say.</summary>
public class RuleBookTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private static readonly Rule Whole = new("shop/payments", "nightly")
    {
        Id = "1",
        Trigger = new RuleTrigger { Cron = "0 3 * * *", TimeZone = "Europe/Berlin" },
        Conditions = new RuleConditions { Reason = "Exhausted", Since = "1h", AttemptsFrom = 3, AttemptsTo = 3, Headers = new Dictionary<string, string> { ["tenant"] = "acme" } },
        PerSecond = 10,
        Times = 2,
        Limit = 500,
        Since = Noon,
        Set = new RuleWord("anna", Noon, "the gateway sleeps at night"),
        Runs = [new RuleRun("plan", Noon) { By = "web-1:1", At = Noon, State = RuleRunState.GivenUp, Why = "old" }],
    };

    [Fact]
    public void A_rule_is_read_as_it_was_written()
    {
        var book = new RuleBook();
        book.Read(RuleDocuments.Write(Whole, 4, "anna", Noon));

        var entry = book.Entries.ShouldHaveSingleItem();
        entry.WhyUnreadable.ShouldBeNull();
        (entry.Point, entry.Name, entry.Version).ShouldBe(("shop/payments", "nightly", 4));
        entry.Rule.ShouldNotBeNull().Runs.ShouldBe(Whole.Runs);
        entry.Rule.Conditions.Headers.ShouldBe(Whole.Conditions.Headers);
        (entry.Rule with { Runs = Whole.Runs, Conditions = entry.Rule.Conditions with { Headers = Whole.Conditions.Headers } }).ShouldBe(Whole with { Version = 4 });
        entry.Rule.Conditions.Words().ShouldBe(["reason Exhausted", "attempts 3", "since 1h", "header tenant=acme"]);
    }

    [Theory]
    [InlineData("\"times\":2", "\"times\":2,\"notOnSundays\":true")]
    [InlineData("\"reason\":\"Exhausted\"", "\"reason\":\"Exhausted\",\"colour\":\"red\"")]
    [InlineData("0 3 * * *", "0 3 * *")]
    [InlineData("Europe/Berlin", "Europe/Atlantis")]
    [InlineData("\"since\":\"1h\"", "\"since\":\"yesterday\"")]
    [InlineData("\"name\":\"nightly\"", "\"name\":\"daily\"")]
    [InlineData("{", "")]
    public void What_this_version_does_not_understand_is_no_rule_with_less_in_it(string found, string instead)
    {
        var written = RuleDocuments.Write(Whole, 4, "anna", Noon);
        var text = Encoding.UTF8.GetString(written.Body.Span);
        text.ShouldContain(found);
        var book = new RuleBook();
        book.Read(written with { Body = Encoding.UTF8.GetBytes(text.Replace(found, instead, StringComparison.Ordinal)) });

        var entry = book.Entries.ShouldHaveSingleItem();
        entry.Rule.ShouldBeNull();
        entry.WhyUnreadable.ShouldNotBeNullOrEmpty();
        (entry.Point, entry.Name, entry.Lives).ShouldBe(("shop/payments", "nightly", true));
    }

    [Fact]
    public void A_rule_that_was_removed_is_listed_until_its_run_has_ended()
    {
        var book = new RuleBook();
        var removed = Whole with { Removed = Whole.Set, Runs = [Whole.Runs[0] with { State = RuleRunState.Begun }] };
        book.Read(RuleDocuments.Write(removed, 5, "anna", Noon));
        book.Entries.ShouldHaveSingleItem().Lives.ShouldBeFalse();
        book.Read(RuleDocuments.Write(removed.WithLast(Whole.Runs[0]), 6, "web-1:1", Noon));
        book.Entries.ShouldBeEmpty();
    }

    [Fact]
    public void An_age_counts_back_from_each_run()
    {
        Whole.Conditions.ToFilter(Noon).Since.ShouldBe(Noon.AddHours(-1));
        Whole.Conditions.ToFilter(Noon.AddDays(1)).Since.ShouldBe(Noon.AddHours(23));
        new RuleConditions().Words().ShouldBeEmpty();
    }

    [Fact]
    public void What_is_known_holds_when_the_log_begins_anew_with_less()
    {
        var book = new RuleBook();
        book.Read(RuleDocuments.Write(Whole, 4, "anna", Noon));
        book.Read(RuleDocuments.Write(Whole with { Times = 9 }, 1, "bert", Noon));
        book.Entries.ShouldHaveSingleItem().Rule.ShouldNotBeNull().Times.ShouldBe(2);
    }

    [Fact]
    public void Other_documents_are_passed_over()
    {
        var book = new RuleBook();
        book.Read(new ControlRecord("retry.policy", "nightly/payments", 1, Array.Empty<byte>()));
        book.Entries.ShouldBeEmpty();
    }
}
