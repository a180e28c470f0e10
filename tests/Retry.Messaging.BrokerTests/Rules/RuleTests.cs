using System.Diagnostics;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Rules;

/// <summary>Parked messages are replayed by themselves, as a rule says and never more often.</summary>
[Collection(OperatorBroker.Name)]
public sealed class RuleTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task With_two_services_each_slot_is_one_run_and_a_message_that_fails_again_is_not_replayed_again()
    {
        await using var rule = await RuleLot.CreateAsync(broker);
        await rule.Raw.ParkManyAsync(3);
        using var one = await PlanCarrierProcess.StartAsync(rule.Raw.Address.AbsoluteUri);
        using var two = await PlanCarrierProcess.StartAsync(rule.Raw.Address.AbsoluteUri);

        await rule.SetAsync("--cron", "* * * * * *", "--all", "--why", "the gateway sleeps at night");
        var (runs, came) = await rule.FailUntilNothingIsLeftAsync(1);

        came.ShouldBe([RawLot.Id(0), RawLot.Id(1), RawLot.Id(2)], ignoreOrder: true);
        runs.Count(run => RuleLot.StateOf(run) == "Done" && run.GetProperty("moved").GetInt32() == 3).ShouldBe(1);
        runs.Select(run => run.GetProperty("for").GetDateTimeOffset()).ShouldBeUnique();
        runs.ShouldAllBe(run => run.GetProperty("for").GetDateTimeOffset() <= run.GetProperty("at").GetDateTimeOffset());
        (await rule.RunAsync("rules", "show", RawLot.Work, RuleLot.Name)).Output.ShouldContain("Why: the gateway sleeps at night");
        var plan = await rule.RunAsync("plans", "show", RuleLot.PlanOf(runs[^1]));
        plan.Output.ShouldContain("rule nightly");
        await one.StopAsync();
        await two.StopAsync();
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task A_message_is_replayed_twice_where_the_rule_says_so_and_a_pause_holds()
    {
        await using var rule = await RuleLot.CreateAsync(broker);
        await rule.Raw.ParkManyAsync(3);
        using var service = await PlanCarrierProcess.StartAsync(rule.Raw.Address.AbsoluteUri);
        await rule.SetAsync("--cron", "* * * * * *", "--all", "--times", "2", "--limit", "2");

        var (_, came) = await rule.FailUntilNothingIsLeftAsync(2);
        came.GroupBy(id => id).Select(copies => (copies.Key, copies.Count())).ShouldBe([(RawLot.Id(0), 2), (RawLot.Id(1), 2), (RawLot.Id(2), 2)], ignoreOrder: true);

        (await rule.RunAsync("rules", "pause", RawLot.Work, RuleLot.Name, "--why", "moving")).ExitCode.ShouldBe(ExitCode.Done);
        await rule.WaitForRunsAsync(runs => RuleLot.StateOf(runs[0]) is not ("Claimed" or "Begun"));
        await rule.Raw.ParkAsync("later");
        await Never.TrueAsync(async () => await rule.Raw.CountAsync(RawLot.Work) > 0, TimeSpan.FromSeconds(4));
        (await rule.ShowAsync()).GetProperty("restsWhy").GetString().ShouldBe("moving");
        (await rule.RunAsync("rules", "resume", RawLot.Work, RuleLot.Name)).ExitCode.ShouldBe(ExitCode.Done);
        await rule.Raw.WaitForMoreAsync(RawLot.Work, 1);
        (await rule.FailAllAsync()).ShouldBe(["later"]);
        await service.StopAsync();
    }

    [Fact]
    public async Task A_circuit_that_was_open_and_is_closed_again_is_one_run()
    {
        await using var rule = await RuleLot.CreateAsync(broker);
        await rule.Raw.ParkManyAsync(2);
        using var service = await PlanCarrierProcess.StartAsync(rule.Raw.Address.AbsoluteUri);
        await rule.SetAsync("--closed-for", "500ms", "--reason", "Exhausted");
        await rule.RunAsync("breaker", "auto", RawLot.Work);
        await Never.TrueAsync(async () => (await rule.RunsAsync()).Count > 0, TimeSpan.FromSeconds(2));

        await rule.RunAsync("breaker", "open", RawLot.Work);
        await rule.RunAsync("breaker", "close", RawLot.Work);
        await rule.RunAsync("breaker", "auto", RawLot.Work);

        (await rule.WaitForRunsAsync(runs => runs.Count == 1 && RuleLot.StateOf(runs[0]) == "Done"))[0].GetProperty("moved").GetInt32().ShouldBe(2);
        await service.StopAsync();
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task A_build_that_all_instances_are_of_is_one_run()
    {
        await using var rule = await RuleLot.CreateAsync(broker);
        await rule.Raw.ParkManyAsync(2);
        using var service = await PlanCarrierProcess.StartAsync(rule.Raw.Address.AbsoluteUri);
        await using var old = await BrokerFixture.ConnectAsync(rule.Raw.Address);
        await ServeAsync(old, "2.4.0");
        await using var fresh = await BrokerFixture.ConnectAsync(rule.Raw.Address);
        await ServeAsync(fresh, "2.4.1");
        await rule.SetAsync("--build", "2.4.1", "--all");
        await Never.TrueAsync(async () => (await rule.RunsAsync()).Count > 0, TimeSpan.FromSeconds(21));

        await old.CloseAsync();
        (await rule.WaitForRunsAsync(runs => runs.Count == 1 && RuleLot.StateOf(runs[0]) == "Done"))[0].GetProperty("moved").GetInt32().ShouldBe(2);

        // set again it is the same rule, and has done what it says
        await rule.FailAllAsync();
        await rule.SetAsync("--build", "2.4.1", "--all", "--times", "5");
        await Never.TrueAsync(async () => (await rule.RunsAsync()).Count > 1, TimeSpan.FromSeconds(21));
        await service.StopAsync();
    }

    [Fact]
    public async Task A_rule_of_nobody_and_a_queue_that_is_none_are_wrong_usage_and_a_rule_that_nobody_carries_out_is_said()
    {
        await using var rule = await RuleLot.CreateAsync(broker);
        (await rule.RunAsync("rules", "list")).Output.ShouldContain("No rules.");
        var unknown = await rule.RunAsync("rules", "pause", RawLot.Work, "yearly");
        (unknown.ExitCode, unknown.Error).ShouldBe((ExitCode.Usage, "retryctl: Found no rule 'yearly' of 'payments', wanted one that 'retryctl rules list' shows. Check the name and the virtual host. Run 'retryctl rules pause --help'.\n"));
        var misspelt = await rule.RunAsync("rules", "set", "paymnets", "nightly", "--cron", "@daily", "--all");
        misspelt.ExitCode.ShouldBe(ExitCode.Usage);
        misspelt.Error.ShouldContain("Found no queue 'paymnets'");

        var set = await rule.RunAsync("rules", "set", RawLot.Work, "nightly", "--cron", "0 3 * * *", "--all");
        set.ExitCode.ShouldBe(ExitCode.Finding);
        set.Error.ShouldContain("No service with AddRetryOperations is there.");
        var list = await rule.RunAsync("rules", "list", RawLot.Work);
        list.ExitCode.ShouldBe(ExitCode.Finding);
        list.Output.ShouldContain("cron '0 3 * * *' UTC");
        var remove = await rule.RunAsync("rules", "remove", RawLot.Work, "nightly", "--why", "no more");
        remove.ExitCode.ShouldBe(ExitCode.Done);
        remove.Output.ShouldContain("Why: no more");
        (await rule.RunAsync("rules", "show", RawLot.Work, "nightly")).ExitCode.ShouldBe(ExitCode.Usage);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task A_rule_is_not_forgotten_when_the_control_log_is_deleted()
    {
        await using var rule = await RuleLot.CreateAsync(broker);
        using var service = await PlanCarrierProcess.StartAsync(rule.Raw.Address.AbsoluteUri);
        await rule.SetAsync("--cron", "* * * * * *", "--all");
        await rule.WaitForRunsAsync(runs => runs.Count > 0);
        await rule.RunAsync("rules", "pause", RawLot.Work, RuleLot.Name);
        var runs = await rule.WaitForRunsAsync(runs => RuleLot.StateOf(runs[0]) != "Claimed");

        await rule.Raw.Channel.QueueDeleteAsync(BrokerNames.ControlStream);

        await Eventually.TrueAsync(async () => (await rule.RunAsync("rules", "list", "--json")).Output.Length > 0, Deadline);
        var found = await rule.ShowAsync();
        found.GetProperty("state").GetString().ShouldBe("paused");
        RuleLot.PlanOf(found.GetProperty("runs")[0]).ShouldBe(RuleLot.PlanOf(runs[0]));
        await service.StopAsync();
    }

    [Fact]
    public async Task A_plan_that_is_made_once_is_not_made_again_when_it_has_ended()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(2);
        var order = new PlanOrder("once", new PlanTerms(PlanAction.Replay)) { IsMadeOnce = true, StaysOpen = true };
        (await RunAsync()).ShouldBe((2, 2));

        await lot.ParkAsync("later");
        await lot.WaitForCountAsync(RawLot.Parked, 1);
        (await RunAsync()).ShouldBe((0, 2));
        (await lot.CountAsync(RawLot.Parked)).ShouldBe(1u);

        async Task<(int Moved, int Planned)> RunAsync()
        {
            var planned = 0;
            var moved = new ParkingLot(lot.Connection).RunAsync(
                RawLot.Work,
                ParkedFilter.All,
                order with { Begins = plan => planned = plan.Count },
                found: null,
                progress: null,
                CancellationToken.None);
            return (await moved.CountAsync(), planned);
        }
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task A_service_that_is_killed_between_claim_and_plan_is_followed_by_one_that_makes_the_same_plan()
    {
        await using var rule = await RuleLot.CreateAsync(broker);
        await rule.Raw.ParkManyAsync(3);
        using var first = await StartAsync(rule.Raw.Address);
        // whoever works on the lot keeps the plan from being made
        var somebody = (await LotLock.TryTakeAsync(rule.Raw.Connection, RawLot.Work, CancellationToken.None)).ShouldNotBeNull();
        // far enough off for the rule to be set before it: a slot that is past then is none of its own
        var (cron, slot) = RuleLot.SlotIn(TimeSpan.FromSeconds(10));
        await rule.SetAsync("--cron", cron, "--all");
        var claimed = (await rule.WaitForRunsAsync(runs => runs.Count == 1)).Single();
        RuleLot.StateOf(claimed).ShouldBe("Claimed");

        first.Kill();
        await first.WaitForExitAsync();
        await somebody.DisposeAsync();
        using var second = await PlanCarrierProcess.StartAsync(rule.Raw.Address.AbsoluteUri);
        var done = (await rule.WaitForRunsAsync(runs => RuleLot.StateOf(runs[0]) == "Done")).Single();

        RuleLot.PlanOf(done).ShouldBe(RuleLot.PlanOf(claimed));
        done.GetProperty("for").GetDateTimeOffset().ShouldBe(slot);
        (await rule.Raw.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId).Order().ShouldBe([RawLot.Id(0), RawLot.Id(1), RawLot.Id(2)]);
        (await rule.Raw.CountAsync(RawLot.Parked)).ShouldBe(0u);
        await second.StopAsync();
    }

    private static async Task ServeAsync(IConnection connection, string build)
    {
        var session = new InstanceSession(connection, build, new(DateTimeOffset.UtcNow, "1.0.0", "none", ".NET", build), "web-9:1", TimeProvider.System);
        await session.OpenAsync(default);
        await session.BeginAsync(new ServedPoint(RawLot.Work), default);
    }

    private static async Task<Process> StartAsync(Uri address)
    {
        var process = TestProcess.Start(TestProcess.PlanCarrierRole, new Dictionary<string, string> { [PlanCarrierProcess.BrokerVariable] = address.AbsoluteUri });
        (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(PlanCarrierProcess.Ready);
        return process;
    }
}
