using Retry.Messaging.Operations.Delayed;
using Retry.Messaging.RabbitMq.Counting;
using Retry.Messaging.RabbitMq.Pulse;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Delayed;

/// <summary>Whose the messages in a rung are, and how wrong that may be.</summary>
public sealed class DelayedOverviewTests
{
    private const int Seconds10 = 5;
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_processes_say_is_exact_where_it_adds_up()
    {
        var overview = Of(20, killed: [], ("mails", 5), ("payments", 15));

        overview.Points.Select(point => (point.Queue, point.Waiting, point.Error)).ShouldBe([("mails", 5, 0), ("payments", 15, 0)]);
        overview.UnclaimedIn(overview.Rungs.ShouldHaveSingleItem()).ShouldBe(0);
        overview.Rungs[0].Grade.ShouldBe("20s");
    }

    [Fact]
    public void What_nobody_claims_is_the_error_of_the_points_that_a_killed_process_served()
    {
        var overview = Of(24, killed: ["payments"], ("mails", 5), ("payments", 15));

        overview.Points.Select(point => (point.Queue, point.Waiting, point.Error)).ShouldBe([("mails", 5, 0), ("payments", 15, 4)]);
        overview.UnclaimedIn(overview.Rungs[0]).ShouldBe(4);
    }

    [Fact]
    public void A_point_of_which_nothing_was_reported_is_shown_with_its_error() =>
        Of(4, killed: ["payments"], ("payments", 0)).Points.ShouldHaveSingleItem().Rungs.ShouldHaveSingleItem().ShouldBe(new DelayedRung(Seconds10, 2, 0) { Error = 4 });

    [Fact]
    public void Who_claims_more_than_the_broker_has_is_wrong_by_the_difference()
    {
        var overview = Of(12, killed: [], ("payments", 15));

        overview.Points.Select(point => (point.Waiting, point.Error)).ShouldBe([(12, 3)]);
    }

    [Fact]
    public void What_has_left_every_rung_is_no_error_any_more() => Of(0, killed: ["payments"], ("payments", 3)).Points.ShouldBeEmpty();

    [Fact]
    public void A_killed_process_may_have_more_in_a_rung_until_the_time_of_the_rung_has_passed()
    {
        var node = new ReportedNode("n");
        node.Read(Report(isLast: false), Now, Now);

        node.MayHaveMoreIn("payments", Seconds10, 2, Now.AddSeconds(29)).ShouldBeTrue();
        node.MayHaveMoreIn("payments", Seconds10, 2, Now.AddSeconds(31)).ShouldBeFalse();
        // by a longer way
        node.MayHaveMoreIn("payments", Seconds10, 3, Now.AddSeconds(99)).ShouldBeTrue();
        node.MayHaveMoreIn("payments", Seconds10, 3, Now.AddSeconds(101)).ShouldBeFalse();
        node.MayHaveMoreIn("mails", Seconds10, 2, Now).ShouldBeFalse();
        node.Read(Report(isLast: true), Now, Now);
        node.MayHaveMoreIn("payments", Seconds10, 2, Now.AddSeconds(29)).ShouldBeFalse();
    }

    [Fact]
    public void A_report_says_what_waits_as_its_process_did()
    {
        var book = new ClimbBook();
        book.Add(TimeSpan.FromSeconds(90), Now);
        book.Add(TimeSpan.FromSeconds(90), Now.AddMilliseconds(700));
        var sent = book.TakeUnreported().Select(delay => ClimbReport.Sent.Of(delay.Key, delay.Value)).ToList();
        var written = new ClimbReport("n", ["i"], new Dictionary<string, IReadOnlyList<ClimbReport.Sent>> { ["payments"] = sent }).Write("web-1:7", Now);

        var node = new ReportedNode("n");
        node.Read(ClimbReport.Read(written).ShouldNotBeNull(), Now, Now);

        node.Instances.ShouldBe(["i"]);
        node.Books["payments"].WaitingAt(Now.AddSeconds(70)).ShouldBe(book.WaitingAt(Now.AddSeconds(70)));
    }

    [Theory]
    [InlineData("""{"node":"n"}""")]
    [InlineData("""{"node":"n","points":{"payments":null}}""")]
    [InlineData("""{"node":"n","points":{"payments":[null,{"delay":5},{"delay":-1,"runs":[1,1,1]},{"delay":300,"runs":[9999999999999999,1,1,5,-1,1,5,1,0,7]}]}}""")]
    public void A_report_of_a_stranger_says_nothing(string text)
    {
        var record = new RabbitMq.Control.ControlRecord(ClimbReport.Kind, "n", 1, System.Text.Encoding.UTF8.GetBytes(text));
        var node = new ReportedNode("n");

        node.Read(ClimbReport.Read(record).ShouldNotBeNull(), Now, Now);

        node.Books.Values.SelectMany(book => book.WaitingAt(Now)).ShouldBeEmpty();
    }

    private static ClimbReport Report(bool isLast) => new(
        "n",
        ["i"],
        new Dictionary<string, IReadOnlyList<ClimbReport.Sent>>
        {
            ["payments"] = [new(200, [Now.ToUnixTimeMilliseconds(), 0, 1]), new(900, [Now.ToUnixTimeMilliseconds(), 0, 1])],
        }) { IsLast = isLast };

    private static DelayedOverview Of(long total, string[] killed, params (string Queue, int Count)[] said) => DelayedOverview.Of(
        new Dictionary<(int, int), long> { [(Seconds10, 2)] = total, [(Seconds10, 1)] = 0 },
        said.ToDictionary(
            point => point.Queue,
            point => (IReadOnlyList<RungWait>)(point.Count == 0 ? [] : [new RungWait(Seconds10, 2, point.Count, 0, Now, Now)]),
            StringComparer.Ordinal),
        (queue, _, _) => killed.Contains(queue));
}
