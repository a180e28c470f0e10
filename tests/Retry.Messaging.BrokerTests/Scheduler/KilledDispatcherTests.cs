using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Scheduling;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Thousands are scheduled, half of them are cancelled, and the dispatcher is killed again and again.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class KilledDispatcherTests(BrokerFixture broker, ITestOutputHelper output)
{
    [Fact]
    public Task With_a_dispatcher_that_is_killed_none_is_lost_or_early_and_no_cancelled_one_arrives() =>
        RunAsync(new ScheduleLoad(Count: 3_000, During: TimeSpan.FromSeconds(9), Longest: TimeSpan.FromSeconds(9)), killEvery: TimeSpan.FromSeconds(3), mostLater: TimeSpan.FromSeconds(5));

    [Fact]
    [Trait("Category", "Long")]
    public Task With_100_000_in_a_minute_none_is_lost_or_early_and_no_cancelled_one_arrives() =>
        RunAsync(new ScheduleLoad(Count: 100_000, During: TimeSpan.FromMinutes(1), Longest: TimeSpan.FromMinutes(5)), killEvery: TimeSpan.FromSeconds(10), mostLater: TimeSpan.FromSeconds(1));

    /// <summary>Half of the messages of a minute are scheduled, half go by the ladder alone to a plain client, one beside the other.</summary>
    [Fact]
    [Trait("Category", "Long")]
    public async Task Without_kills_the_99th_of_100_is_not_1_3_times_as_late_as_by_the_ladder_alone()
    {
        var load = new ScheduleLoad(Count: 50_000, During: TimeSpan.FromMinutes(1), Longest: TimeSpan.FromMinutes(5));
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var receipts = await ScheduleReceipts.StartAsync(raw);
        await using var plainReceipts = await ScheduleReceipts.StartAsync(raw, "plain");
        await using var dispatchers = await KilledDispatchers.StartAsync(raw, uri);
        await raw.BindAsync(plainReceipts.Queue, BrokerNames.ReturnExchange, BrokerNames.ReturnPattern(plainReceipts.Queue));

        var loads = await Task.WhenAll(load.RunAsync(raw.Connection, receipts.Queue), load.RunRawAsync(raw.Connection, plainReceipts.Queue));
        await receipts.WaitForAsync(loads[0].Where(one => one.CancelledAt is null).Select(one => one.Id), load.Longest + TimeSpan.FromMinutes(3));
        await plainReceipts.WaitForAsync(loads[1].Select(one => one.Id), load.Longest + TimeSpan.FromMinutes(3));

        var (ours, plain) = (receipts.Judge(loads[0]), plainReceipts.Judge(loads[1]));
        output.WriteLine($"p99 lateness: {ours.P99.TotalMilliseconds:0} ms, by the ladder alone {plain.P99.TotalMilliseconds:0} ms; {ours}; {plain}");
        (ours.Lost, ours.Early, ours.CancelledDelivered, ours.Copies).ShouldBe((0, 0, 0, 0));
        ours.P99.ShouldBeLessThanOrEqualTo(plain.P99 * 1.3);
    }

    // A busy machine is late by itself: what goes by the ladder alone at the same time tells how much.
    private async Task RunAsync(ScheduleLoad load, TimeSpan killEvery, TimeSpan mostLater)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var receipts = await ScheduleReceipts.StartAsync(raw);
        await using var plainReceipts = await ScheduleReceipts.StartAsync(raw, "plain");
        await using var dispatchers = await KilledDispatchers.StartAsync(raw, uri);
        await raw.BindAsync(plainReceipts.Queue, BrokerNames.ReturnExchange, BrokerNames.ReturnPattern(plainReceipts.Queue));

        var killing = dispatchers.KillAsync(killEvery, load.During + load.Longest);
        var sending = load.RunAsync(raw.Connection, receipts.Queue);
        var plain = await (load with { Count = load.Count / 20 }).RunRawAsync(raw.Connection, plainReceipts.Queue);
        var sent = await sending;
        var kills = await killing;
        await receipts.WaitForAsync(sent.Where(one => one.CancelledAt is null).Select(one => one.Id), load.Longest + TimeSpan.FromMinutes(3));
        await plainReceipts.WaitForAsync(plain.Select(one => one.Id), load.Longest + TimeSpan.FromMinutes(3));

        var (verdict, ladder) = (receipts.Judge(sent), plainReceipts.Judge(plain));
        output.WriteLine($"{load.Count} scheduled, {sent.Count(one => one.CancelledAt is not null)} cancelled, {kills} kills: {verdict}; by the ladder alone: {ladder}");
        verdict.Lost.ShouldBe(0);
        verdict.Early.ShouldBe(0);
        verdict.CancelledDelivered.ShouldBe(0);
        verdict.Copies.ShouldBeLessThanOrEqualTo(kills * DispatchSession.Prefetch);
        verdict.UnmarkedCopies.ShouldBe(0);
        (verdict.Latest - ladder.Latest).ShouldBeLessThan(mostLater);
    }
}
