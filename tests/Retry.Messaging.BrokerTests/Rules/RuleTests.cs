using System.Diagnostics;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Operations.Plans;
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
    public async Task With_two_services_each_slot_is_one_run_and_a_message_that_fails_again_is_replayed_as_often_as_the_rule_says()
    {
        await using var rule = await RuleLot.CreateAsync(broker);
        await rule.Raw.ParkManyAsync(3);
        using var one = await PlanCarrierProcess.StartAsync(rule.Raw.Address.AbsoluteUri);
        using var two = await PlanCarrierProcess.StartAsync(rule.Raw.Address.AbsoluteUri);

        await rule.SetAsync("--cron", "* * * * * *", "--all", "--times", "2", "--why", "the gateway sleeps at night");
        var came = new List<string>();
        var runs = await rule.WaitForRunsAsync(runs =>
        {
            came.AddRange(rule.FailAllAsync().GetAwaiter().GetResult());
            return runs.Count(run => RuleLot.StateOf(run) == "Nothing") >= 2;
        });

        came.Order().ShouldBe([RawLot.Id(0), RawLot.Id(0), RawLot.Id(1), RawLot.Id(1), RawLot.Id(2), RawLot.Id(2)]);
        runs.Count(run => RuleLot.StateOf(run) == "Done" && run.GetProperty("moved").GetInt32() == 3).ShouldBe(2);
        runs.Select(run => run.GetProperty("for").GetDateTimeOffset()).ShouldBeUnique();
        runs.ShouldAllBe(run => run.GetProperty("for").GetDateTimeOffset() <= run.GetProperty("at").GetDateTimeOffset());

        // a rule that is paused does nothing until it is resumed
        (await rule.RunAsync("rules", "pause", RawLot.Work, RuleLot.Name)).ExitCode.ShouldBe(ExitCode.Done);
        await rule.WaitForRunsAsync(runs => RuleLot.StateOf(runs[0]) is not ("Claimed" or "Begun"));
        await rule.Raw.ParkAsync("later");
        await Never.TrueAsync(async () => await rule.Raw.CountAsync(RawLot.Work) > 0, TimeSpan.FromSeconds(3));
        (await rule.RunAsync("rules", "resume", RawLot.Work, RuleLot.Name)).ExitCode.ShouldBe(ExitCode.Done);
        await rule.Raw.WaitForMoreAsync(RawLot.Work, 1);
        (await rule.FailAllAsync()).ShouldBe(["later"]);
        await one.StopAsync();
        await two.StopAsync();
    }

    [Fact]
    public async Task A_service_that_is_killed_between_claim_and_plan_is_followed_by_one_that_makes_the_same_plan()
    {
        await using var rule = await RuleLot.CreateAsync(broker);
        await rule.Raw.ParkManyAsync(3);
        using var first = await StartAsync(rule.Raw.Address);
        // whoever works on the lot keeps the plan from being made
        var somebody = (await LotLock.TryTakeAsync(rule.Raw.Connection, RawLot.Work, CancellationToken.None)).ShouldNotBeNull();
        var (cron, slot) = RuleLot.SlotIn(TimeSpan.FromSeconds(2));
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

    private static async Task<Process> StartAsync(Uri address)
    {
        var process = TestProcess.Start(TestProcess.PlanCarrierRole, new Dictionary<string, string> { [PlanCarrierProcess.BrokerVariable] = address.AbsoluteUri });
        (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(PlanCarrierProcess.Ready);
        return process;
    }
}
