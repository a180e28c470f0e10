using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Plans;

/// <summary>Two operators want some of the same messages, one of them is killed or falls asleep, and new messages are parked all the time.</summary>
[Collection(LotBroker.Name)]
public sealed class OverlappingPlansTests(BrokerFixture broker)
{
    private const int Count = 4000;
    private const int Some = 900;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    // Every message is Exhausted or Failed; the second operator wants all. The first is slow: it has to be at work still when a busy
    // machine has started the second.
    private const string First = $"parked replay {RawLot.Work} --reason Exhausted --yes --rate 150";
    private const string Second = $"parked replay {RawLot.Work} --all --yes";

    [Fact]
    public async Task A_killed_plan_keeps_the_second_out_until_it_was_resumed()
    {
        await using var lot = await ParkAsync();
        await using var first = OperatorProcess.Type(lot.Address, First);
        await WaitForAsync(lot, Some);
        await using var parking = SteadyParking.Start(lot);
        await using var second = OperatorProcess.Type(lot.Address, Second);
        await second.SaysAsync("works on the parking lot of 'payments'. Waiting for its end.");
        await first.KillAsync();

        (await second.EndAsync()).ShouldBe(ExitCode.Failed);
        var plan = (await OpenPlan.FindAsync(lot.Address)).ShouldNotBeNull();
        second.Said.ShouldContain($"'retryctl plans resume {plan}' goes on with it");
        (await CommandLineRun.RunAsync(lot.Address, broker.Broker.ManagementUri, "points --json")).Output.ShouldContain($"\"unfinishedPlan\":\"{plan}\"");

        await using var resume = OperatorProcess.Type(lot.Address, $"plans resume {plan}");
        (await resume.EndAsync()).ShouldBe(ExitCode.Done, resume.Said);
        await using var again = OperatorProcess.Type(lot.Address, Second);
        (await again.EndAsync()).ShouldBe(ExitCode.Done, again.Said);

        await NothingWasSentByTwoPlansAsync(lot, await parking.StopAsync(), plan);
    }

    [Fact]
    public async Task A_plan_that_sleeps_is_waited_for_and_when_it_wakes_up_too_late_it_sends_nothing_more()
    {
        await using var lot = await ParkAsync();
        await using var first = OperatorProcess.Type(lot.Address, First);
        await WaitForAsync(lot, Some);
        await using var parking = SteadyParking.Start(lot);
        await first.SleepAsync();
        var plan = (await OpenPlan.FindAsync(lot.Address)).ShouldNotBeNull();

        // while its connection is there, nobody goes on with it
        await using var resume = OperatorProcess.Type(lot.Address, $"plans resume {plan}");
        await resume.SaysAsync("Waiting for its end.");
        // the broker gives it up when it misses its heartbeats
        (await resume.EndAsync()).ShouldBe(ExitCode.Done, resume.Said);
        var sent = await lot.CountAsync(RawLot.Work);
        first.WakeUp();
        (await first.EndAsync()).ShouldBe(ExitCode.Failed, first.Said);
        (await lot.CountAsync(RawLot.Work)).ShouldBe(sent);

        await using var second = OperatorProcess.Type(lot.Address, Second);
        (await second.EndAsync()).ShouldBe(ExitCode.Done, second.Said);
        await NothingWasSentByTwoPlansAsync(lot, await parking.StopAsync(), plan);
    }

    [Fact]
    public async Task A_cancelled_plan_names_what_it_may_have_sent_and_later_plans_leave_that_out()
    {
        await using var lot = await ParkAsync();
        await using (var first = OperatorProcess.Type(lot.Address, First))
        {
            await WaitForAsync(lot, Some);
            await first.KillAsync();
        }

        var plan = (await OpenPlan.FindAsync(lot.Address)).ShouldNotBeNull();
        var cancel = await CommandLineRun.RunAsync(lot.Address, null, $"plans cancel {plan} --json");
        cancel.ExitCode.ShouldBe(ExitCode.Done, cancel.Error);
        var cancelled = System.Text.Json.JsonDocument.Parse(cancel.Output).RootElement;
        var doubtful = cancelled.GetProperty("doubtful").EnumerateArray().Select(id => id.GetString()!).ToHashSet();
        doubtful.Count.ShouldBeInRange(1, 1500);
        cancelled.GetProperty("mayHaveBeenSent").GetInt32().ShouldBe(doubtful.Count);
        (await OpenPlan.FindAsync(lot.Address)).ShouldBeNull();

        await using var second = OperatorProcess.Type(lot.Address, Second);
        (await second.EndAsync()).ShouldBe(ExitCode.Done, second.Said);
        second.Said.ShouldContain("left out, because a cancelled plan may have sent");
        (await CommandLineRun.RunAsync(lot.Address, null, $"parked replay {RawLot.Work} --all --dry-run")).Output.ShouldContain("no parked message");

        // each has gone once, or may have gone once and is still there
        await lot.WaitForCountAsync(RawLot.Parked, (uint)doubtful.Count);
        var sent = (await lot.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId!).ToList();
        sent.Distinct().Count().ShouldBe(sent.Count);
        sent.Concat(doubtful).Distinct().Count().ShouldBe(Count);

        var rest = await CommandLineRun.RunAsync(lot.Address, null, $"parked replay {RawLot.Work} --all --yes --may-have-been-sent");
        rest.ExitCode.ShouldBe(ExitCode.Done, rest.Error);
        (await lot.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId!).Order().ShouldBe(doubtful.Order());
    }

    private async Task<RawLot> ParkAsync()
    {
        var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(Count, number => number % 4 == 0 ? ParkReason.Failed : ParkReason.Exhausted);
        return lot;
    }

    private static Task WaitForAsync(RawLot lot, int wanted) => lot.WaitForMoreAsync(RawLot.Work, wanted);

    /// <summary>Counts by a raw client what was sent, by which plan, and what was not.</summary>
    private static async Task NothingWasSentByTwoPlansAsync(RawLot lot, int parkedMeanwhile, string firstPlan)
    {
        var sent = (await lot.DrainAsync(RawLot.Work)).Select(message => (
            Id: message.BasicProperties.MessageId!,
            Plan: RawLot.Header(message, RetryHeaderNames.Plan),
            Mark: RawLot.Header(message, RetryHeaderNames.Repeated))).ToList();

        foreach (var copies in sent.GroupBy(copy => copy.Id))
        {
            copies.Select(copy => copy.Plan).Distinct().Count().ShouldBe(1, copies.Key);
            copies.Count(copy => copy.Mark is null).ShouldBeLessThanOrEqualTo(1, copies.Key);
        }

        var byFirst = sent.Where(copy => copy.Plan == firstPlan).Select(copy => copy.Id).Distinct().ToList();
        var wanted = Enumerable.Range(0, Count).Where(number => number % 4 != 0).Select(RawLot.Id).ToList();
        byFirst.Except(wanted).Take(5).ShouldBeEmpty("nothing that was parked later");
        wanted.Except(byFirst).Take(5).ShouldBeEmpty();
        Enumerable.Range(0, Count).Select(RawLot.Id).Except(sent.Select(copy => copy.Id)).Take(5).ShouldBeEmpty();
        await Eventually.TrueAsync(
            async () => sent.Select(copy => copy.Id).Distinct().Count() + await lot.CountAsync(RawLot.Parked) == Count + parkedMeanwhile,
            Deadline,
            () => $"{sent.Count} copies of {Count} + {parkedMeanwhile} messages");
    }
}
