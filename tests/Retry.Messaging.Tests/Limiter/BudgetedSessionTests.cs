using System.Text.Json;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Pulse;
using Retry.Messaging.RabbitMq.Strategies;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter;

/// <summary>The loop of a limiter whose point has a retry budget: a clock, queues and streams in memory, and no broker.</summary>
public sealed class BudgetedSessionTests
{
    private const string HeldBack = "they wait for successes: the retry budget is ";

    [Fact]
    public async Task Where_nobody_is_heard_the_floor_of_the_codes_budget_flows()
    {
        using var session = new SessionInMemory { CodeLimit = null, CodeBudget = new RetryBudget(0.2, 0.5) };
        await session.StartAsync("a", "b", "c", "d");

        await session.PassAsync(TimeSpan.FromSeconds(5));

        session.Released.Count().ShouldBe(2);
        session.Monitor.Status.Reason.ShouldBe(HeldBack + "20 % of successes, at least 0.5/s");
        session.Monitor.HeldBack.ShouldBe(session.Monitor.Status.Reason);
        session.Monitor.Budget!()!.Value.ShouldBeLessThan(1);
    }

    [Fact]
    public async Task One_that_becomes_active_has_saved_nothing_while_it_stood_by()
    {
        using var session = new SessionInMemory { CodeLimit = null, CodeBudget = new RetryBudget(0.2, 1) };
        await session.StartAsync();
        await session.PassAsync(TimeSpan.FromSeconds(30));

        await session.DoAsync(() => session.Add("a", "b", "c"));

        session.Released.ShouldBeEmpty();
        await session.UntilAsync(() => session.Released.Any());
    }

    [Fact]
    public async Task What_an_operator_sets_wins_over_the_code_from_now_on_and_until_it_is_cleared()
    {
        using var session = new SessionInMemory { CodeLimit = null, CodeBudget = new RetryBudget(0.2, 0.1) };
        await session.StartAsync("a", "b", "c", "d", "e", "f");
        await session.PassAsync(TimeSpan.FromSeconds(5));
        session.Released.ShouldBeEmpty();

        await session.DoAsync(() => Set(session, 1, """{"RetryBudgetFloor":1}"""));
        await session.PassAsync(TimeSpan.FromSeconds(4));
        session.Released.Count().ShouldBeInRange(3, 4);
        session.Monitor.Status.Reason.ShouldBe(HeldBack + "20 % of successes, at least 1/s");

        await session.DoAsync(() => Set(session, 2, "{}"));
        var before = session.Released.Count();
        await session.PassAsync(TimeSpan.FromSeconds(5));
        session.Released.Count().ShouldBeInRange(before, before + 1, "a part of one was saved");
    }

    [Fact]
    public async Task An_instance_without_a_budget_obeys_the_one_that_another_has_said()
    {
        using var session = new SessionInMemory { CodeLimit = null };
        await session.StartAsync();
        await session.PassAsync(TimeSpan.FromSeconds(10));
        await session.DoAsync(() => session.Write(LimiterDocument.Write(
            new LimiterCode(SessionInMemory.Names.Work, null) { Budget = new RetryBudget(0.1, 0.1) }, 2, "host:7", session.Clock.GetUtcNow())));

        await session.DoAsync(() => session.Add("a"));
        await session.PassAsync(TimeSpan.FromSeconds(3));

        session.Released.ShouldBeEmpty();
        session.Monitor.Status.Reason.ShouldBe(HeldBack + "10 % of successes, at least 0.1/s");
    }

    [Fact]
    public async Task What_succeeds_anywhere_is_heard_and_releases_what_waits()
    {
        using var session = new SessionInMemory { CodeLimit = null, CodeBudget = new RetryBudget(0.2, 0.1) };
        await session.StartAsync("a", "b", "c");
        await session.PassAsync(TimeSpan.FromSeconds(1));
        session.Released.ShouldBeEmpty();

        Hear(session, 60_000, new PointPulse("orders") { Done = 100 });
        await session.DoAsync(() => Hear(session, 61_000, new PointPulse("orders") { Done = 110 }));

        await session.PassAsync(TimeSpan.FromSeconds(1));
        session.Released.ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task A_target_that_answers_429_anywhere_halves_the_rate_and_it_comes_back()
    {
        using var session = new SessionInMemory { CodeLimit = new RedeliveryLimit(8, 1) };
        await session.StartAsync("a");
        await session.PassAsync(TimeSpan.FromSeconds(1));
        Hear(session, 60_000, new PointPulse("orders"));

        await session.DoAsync(() => Hear(session, 61_000, new PointPulse("orders") { Slow = 1 }));
        await session.PassAsync(TimeSpan.FromMilliseconds(100));
        session.Monitor.Status.Limit!.PerSecond.ShouldBe(4, 0.3);
        session.Monitor.HeldBack.ShouldNotBeNull().ShouldStartWith("the target asks to be called less often: 4");

        await session.PassAsync(TimeSpan.FromSeconds(31));
        session.Monitor.Status.Limit.ShouldBe(new RedeliveryLimit(8, 1));
    }

    private static void Hear(SessionInMemory session, long at, PointPulse point) =>
        session.Pulses.Hear("node", new PulseDocument("node", "host:1", at, [point]).Write());

    private static void Set(SessionInMemory session, long version, string settings) => session.Write(
        new PolicyDocument(SessionInMemory.Names.Work, JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(settings)!) { Version = version, By = "ann" }.Write());
}
