using Retry.Messaging.BrokerTests.Observing;
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
        RunAsync(new ScheduleLoad(Count: 3_000, During: TimeSpan.FromSeconds(9)), killEvery: TimeSpan.FromSeconds(3), latest: TimeSpan.FromSeconds(5));

    [Fact]
    [Trait("Category", "Long")]
    public Task With_100_000_in_a_minute_none_is_lost_or_early_and_no_cancelled_one_arrives() =>
        RunAsync(new ScheduleLoad(Count: 100_000, During: TimeSpan.FromMinutes(1)), killEvery: TimeSpan.FromSeconds(10), latest: TimeSpan.FromSeconds(10));

    private async Task RunAsync(ScheduleLoad load, TimeSpan killEvery, TimeSpan latest)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var receipts = await ScheduleReceipts.StartAsync(raw);
        await using var dispatchers = await KilledDispatchers.StartAsync(raw, uri);

        var killing = dispatchers.KillAsync(killEvery, load.During + ScheduleLoad.Longest);
        var sent = await load.RunAsync(raw.Connection, receipts.Queue);
        var kills = await killing;
        await receipts.WaitForAsync(sent.Where(one => one.CancelledAt is null).Select(one => one.Id), TimeSpan.FromMinutes(3));

        var verdict = receipts.Judge(sent);
        output.WriteLine($"{load.Count} scheduled, {sent.Count(one => one.CancelledAt is not null)} cancelled, {kills} kills: {verdict}");
        verdict.Lost.ShouldBe(0);
        verdict.Early.ShouldBe(0);
        verdict.CancelledDelivered.ShouldBe(0);
        verdict.Copies.ShouldBeLessThanOrEqualTo(kills * DispatchSession.Prefetch);
        verdict.UnmarkedCopies.ShouldBe(0);
        verdict.Latest.ShouldBeLessThan(latest);
    }
}
