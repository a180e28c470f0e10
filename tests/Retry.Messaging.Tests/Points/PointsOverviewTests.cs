using Retry.Messaging.Configuration;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.Operations.Points;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.Tests.Verification;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Points;

/// <summary>What the overview makes of the broker's counts and the operators' settings.</summary>
public sealed class PointsOverviewTests
{
    private const string Orders = HealthyBroker.Orders;

    private static readonly Dictionary<string, LimiterSettings> Nothing = [];

    [Fact]
    public void A_point_without_a_limit_shows_its_work_queue_and_its_lot()
    {
        var overview = PointsOverview.Of(HealthyBroker.Facts(), [new(Orders, 5, 2, 3), new("orders.parked", 7, 1, 0)], Nothing, nodes: null, delayed: null, plans: []);

        overview.Points.ShouldBe([new PointSummary(Orders) { Ready = 5, Unacknowledged = 2, Consumers = 3, Parked = 8, Limiter = PointLimiterState.None }]);
    }

    [Theory]
    [InlineData(1, false, nameof(PointLimiterState.Active))]
    [InlineData(1, true, nameof(PointLimiterState.Active))]
    [InlineData(0, true, nameof(PointLimiterState.Paused))]
    [InlineData(0, false, nameof(PointLimiterState.Missing))]
    public void A_limiter_that_consumes_is_active_and_one_that_does_not_is_paused_or_missing(int consumers, bool paused, string state)
    {
        var settings = Set(paused);

        var point = Limited(consumers, settings);

        point.Limiter.ToString().ShouldBe(state);
        point.Waiting.ShouldBe(9);
        point.PerSecond.ShouldBe(40);
    }

    [Fact]
    public void Without_an_operators_rate_the_codes_holds()
    {
        var settings = new LimiterSettings(Orders);
        settings.Read(LimiterDocument.Write(new LimiterCode(Orders, new RedeliveryLimit(12, 1)), 1, "host", DateTimeOffset.UnixEpoch));

        Limited(1, settings).PerSecond.ShouldBe(12);
    }

    [Fact]
    public void Settings_that_cannot_be_read_are_not_taken_for_none()
    {
        var unreadable = Set(paused: true);
        unreadable.Read(new ControlRecord(LimiterDocument.SettingKind, Orders, 2, "no json"u8.ToArray()));

        Limited(0, unreadable).Limiter.ShouldBe(PointLimiterState.Unknown);
        PointsOverview.Of(HealthyBroker.Facts(withRelease: true), [new("orders.release", 9, 0, 0)], settings: null, nodes: null, delayed: null, plans: [])
            .Points.ShouldHaveSingleItem().Limiter.ShouldBe(PointLimiterState.Unknown);
    }

    [Fact]
    public void What_does_not_exist_has_no_number_and_what_is_shared_is_told_for_all()
    {
        var overview = PointsOverview.Of(HealthyBroker.Facts(), [new("retry.v1.5s", 3, 0, 0), new("retry.v1.9d", 4, 0, 0), new("retry.v1.lost", 2, 0, 0)], Nothing, nodes: null, delayed: null, plans: []);

        overview.Points.ShouldBe([new PointSummary(Orders)]);
        overview.Climbing.ShouldBe(7);
        overview.Lost.ShouldBe(2);
    }

    [Fact]
    public void The_nodes_that_serve_a_point_are_counted_and_their_builds_named()
    {
        var overview = PointsOverview.Of(
            HealthyBroker.Facts(),
            [],
            Nothing,
            [Node("a", "build 2"), Node("b", "build 1"), Node("c", "build 2"), Node("gone", "build 0") with { IsThere = false }, Node("other", "x") with { Points = [new("mails")] }],
            delayed: null,
            plans: []);

        overview.Points.ShouldHaveSingleItem().Nodes.ShouldBe(3);
        overview.Points[0].Builds.ShouldBe(["build 1", "build 2"]);
        PointsOverview.Of(HealthyBroker.Facts(), [], Nothing, [], delayed: null, plans: []).Points[0].Nodes.ShouldBe(0);
        PointsOverview.Of(HealthyBroker.Facts(), [], Nothing, nodes: null, delayed: null, plans: []).Points[0].Nodes.ShouldBeNull();

        static NodeSummary Node(string instance, string build) => new(instance, $"{instance}:1")
        {
            IsThere = true,
            Facts = new(DateTimeOffset.UnixEpoch, "1.0.0", "MassTransit 8.5.12", ".NET 10", build),
            Points = [new(Orders)],
        };
    }

    [Theory]
    [InlineData(nameof(PlanProgress.CutOff), false, true)]
    [InlineData(nameof(PlanProgress.Stopped), false, true)]
    [InlineData(nameof(PlanProgress.Running), false, false)]
    [InlineData(nameof(PlanProgress.Done), false, false)]
    [InlineData(nameof(PlanProgress.Cancelled), false, false)]
    [InlineData(nameof(PlanProgress.CutOff), true, false)]
    public void A_plan_that_waits_for_an_operator_needs_attention(string progress, bool isUnattended, bool isTrouble)
    {
        var plan = new Plan("p1", new PlanTerms(PlanAction.Replay) { IsUnattended = isUnattended }, Orders, "ann@host", DateTimeOffset.UnixEpoch) { State = PlanState.Running };

        var point = PointsOverview.Of(
            HealthyBroker.Facts(),
            [new(Orders, 0, 0, 1), new("orders.parked", 7, 0, 0)],
            Nothing,
            nodes: null,
            delayed: null,
            [new(plan with { Queue = "mails" }, PlanProgress.CutOff), new(plan, Enum.Parse<PlanProgress>(progress))]).Points.ShouldHaveSingleItem();

        point.UnfinishedPlan.ShouldBe(isTrouble ? "p1" : null);
        point.NeedsAttention.ShouldBe(isTrouble);
    }

    [Fact]
    public void A_point_in_trouble_says_which()
    {
        var well = new PointSummary("a") { Ready = 5, Consumers = 1, Parked = 0 };

        well.Trouble.ShouldBeNull();
        (well with { Ready = 0, Consumers = 0 }).Trouble.ShouldBeNull();
        (well with { Consumers = 0 }).Trouble.ShouldBe("messages are ready and its work queue has no consumer");
        (well with { Ready = null }).Trouble.ShouldBe("its work queue does not exist");
        (well with { Parked = null }).Trouble.ShouldBe("it has no parking lot");
        (well with { Limiter = PointLimiterState.Missing }).Trouble.ShouldStartWith("no limiter consumes its release queue");
        (well with { Limiter = PointLimiterState.Paused }).Trouble.ShouldBeNull();
    }

    [Fact]
    public void Every_trouble_has_a_next_step_and_nothing_else_has()
    {
        var well = new PointSummary("a") { Ready = 5, Consumers = 1, Parked = 0 };

        well.NextStep.ShouldBeNull();
        (well with { Consumers = 0 }).NextStep.ShouldBe("Start its service.");
        (well with { Ready = null }).NextStep.ShouldNotBeNull().ShouldContain("'retryctl topology remove --point a'");
        (well with { Parked = null }).NextStep.ShouldBe("Run 'retryctl topology apply --point a'.");
        (well with { Limiter = PointLimiterState.Missing }).NextStep.ShouldNotBeNull().ShouldContain("'retryctl limiter run --point a'");
    }

    [Fact]
    public void The_total_is_the_sum_of_what_is_known()
    {
        var overview = new PointsOverview(
            [new PointSummary("a") { Ready = 1, Waiting = 2, Parked = 3 }, new PointSummary("b") { Ready = 10, Parked = 30 }, new PointSummary("c")],
            Climbing: 0,
            Lost: 0);

        overview.Total.ShouldBe(new PointSummary("TOTAL") { Ready = 11, Unacknowledged = 0, Consumers = 0, Waiting = 2, Parked = 33 });
    }

    private static PointSummary Limited(long consumers, LimiterSettings settings) => PointsOverview.Of(
        HealthyBroker.Facts(withRelease: true),
        [new(Orders, 5, 2, 3), new("orders.release", 6, 3, consumers)],
        new Dictionary<string, LimiterSettings> { [Orders] = settings },
        nodes: null, delayed: null, plans: []).Points.ShouldHaveSingleItem();

    private static LimiterSettings Set(bool paused)
    {
        var settings = new LimiterSettings(Orders);
        settings.Read(LimiterDocument.Write(new LimiterSetting { Point = Orders, Version = 1, PerSecond = 40, Paused = paused, By = "ann" }));
        return settings;
    }
}
