using System.Diagnostics;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>The active instance dies, or hangs: another takes over, nothing is lost, and the cap holds across it.</summary>
public sealed class TakeoverTests(OwnNode node, ITestOutputHelper output) : IClassFixture<OwnNode>
{
    private const int Cap = 200;
    private const int Waiting = 1000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Resumed = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Replaced = TimeSpan.FromSeconds(15);
    // the broker still has to take in what the dead instance had sent
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(50);
    // unconfirmed at most: a tenth of a second of the cap
    private const int Window = Cap / 10;

    [Fact]
    public async Task A_successor_has_no_burst_of_its_own()
    {
        const int Burst = 100;
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        point.Start(Cap / 2, burst: Burst);
        await point.FillAsync(1);
        await arrivals.WaitForAsync(1, Deadline);
        point.Start(Cap / 2, burst: Burst);
        await Scenario.PauseAsync(TimeSpan.FromSeconds(1.5));

        // the first spends its burst and ends
        await point.FillAsync(4 * Burst, from: 1);
        await arrivals.WaitForAsync(Burst, Deadline);
        await point.StopFirstAsync();
        await arrivals.WaitForAsync(3 * Burst, Deadline);

        var excess = WindowBound.WorstExcess(arrivals.At, Cap / 2, Burst);
        output.WriteLine($"{node.Broker.Version}: worst window at the work queue {excess:0.0} above the bound");
        // seen at the far end; a burst too many would be a hundred
        excess.ShouldBeLessThan(Burst / 3);
    }

    [Fact]
    public async Task One_that_is_stopped_at_full_speed_leaves_nothing_to_be_sent_again()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        await point.FillAsync(5 * Waiting);
        for (var stop = 1; stop <= 3; stop++)
        {
            point.Start(perSecond: null);
            await arrivals.WaitForAsync(stop * Waiting, Deadline);
            await point.StopAsync();
        }

        point.Start(perSecond: null);
        await WaitForAllAsync(arrivals, 5 * Waiting);
        await point.StopAsync();
        arrivals.Count.ShouldBe(5 * Waiting);
        (await point.Raw.CountAsync(point.Names.Release)).ShouldBe(0u);
    }

    // a rate or a window to the millisecond wants a machine with nothing else to do
    [Trait("Category", "Long")]
    [Fact]
    public Task Survives_the_active_instance_being_killed_again_and_again() => KillAsync(times: 4);

    [LongTheory]
    [Trait("Category", "Long")]
    [InlineData(25)]
    public Task Survives_25_kills_in_a_row(int times) => KillAsync(times);

    // a rate or a window to the millisecond wants a machine with nothing else to do
    [Trait("Category", "Long")]
    [Fact]
    public async Task A_hanging_instance_is_replaced_and_releases_nothing_when_it_wakes()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        await point.FillAsync(5 * Waiting);
        using var hangs = new ReleaseWire(point.Broker, separately: true);
        using var first = await LimitedPoint.StartProcessAsync(hangs.Address, point.Names.Work, Cap);
        await arrivals.WaitForAsync(Cap, Deadline);
        using var follows = new ReleaseWire(point.Broker, separately: true);
        using var second = await LimitedPoint.StartProcessAsync(follows.Address, point.Names.Work, Cap);

        Signal(first, "STOP");
        var stopped = Stopwatch.GetTimestamp();
        await Scenario.PauseAsync(LastWords * 4);
        var before = arrivals.Count;
        await arrivals.WaitForAsync(before + 1, Replaced);
        var replaced = Stopwatch.GetElapsedTime(stopped, arrivals.At[before]);
        var sent = hangs.Publishes.Count;
        Signal(first, "CONT");
        await arrivals.WaitForAsync(before + (5 * Cap), Deadline);

        hangs.Publishes.Count.ShouldBe(sent);
        output.WriteLine($"{node.Broker.Version}: hanging instance replaced after {replaced.TotalSeconds:0.0} s; awake again, it sent {hangs.Publishes.Count - sent} messages; {hangs}");
        replaced.ShouldBeLessThan(Replaced);
        WindowBound.WorstExcess([.. hangs.Publishes, .. follows.Publishes], Cap, burst: 1).ShouldBeLessThanOrEqualTo(hangs.Allowance(Cap));
        await EndAsync(first);
        await EndAsync(second);
    }

    private async Task KillAsync(int times)
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        await point.FillAsync(Waiting);
        var filled = Waiting;
        using var wire = new ReleaseWire(point.Broker);
        var instances = new Queue<Process>();
        instances.Enqueue(await LimitedPoint.StartProcessAsync(wire.Address, point.Names.Work, Cap));
        var gaps = new List<double>();
        for (var i = 0; i < times; i++)
        {
            instances.Enqueue(await LimitedPoint.StartProcessAsync(wire.Address, point.Names.Work, Cap));
            await arrivals.WaitForAsync(arrivals.Count + (Cap / 2), Deadline);
            // what has left since is put back: a thousand wait at every kill
            var missing = Waiting - (filled - arrivals.All.Select(arrival => arrival.Id).Distinct().Count());
            await point.FillAsync(missing, filled);
            filled += missing;
            using var active = instances.Dequeue();
            active.Kill();
            await active.WaitForExitAsync();
            await Scenario.PauseAsync(LastWords);
            var (killed, before) = (Stopwatch.GetTimestamp(), arrivals.Count);
            await arrivals.WaitForAsync(before + 1, Deadline);
            gaps.Add(Stopwatch.GetElapsedTime(killed, arrivals.At[before]).TotalSeconds);
        }

        await WaitForAllAsync(arrivals, filled);
        var duplicates = arrivals.Count - filled;
        var excess = WindowBound.WorstExcess(wire.Publishes, Cap, burst: 1);
        output.WriteLine($"{node.Broker.Version}: {times} kills, {filled} messages: {filled - arrivals.All.Select(arrival => arrival.Id).Distinct().Count()} lost, {duplicates} duplicates (at most {times * Window}), resumed after {gaps.Max():0.00} s at most, worst window {excess:0.00} above the bound on the wire, {WindowBound.WorstExcess(arrivals.At, Cap, burst: 1):0.0} at the work queue; {wire}");
        duplicates.ShouldBeLessThanOrEqualTo(times * Window);
        gaps.Max().ShouldBeLessThan(Resumed.TotalSeconds);
        excess.ShouldBeLessThanOrEqualTo(wire.Allowance(Cap));
        foreach (var instance in instances)
        {
            await EndAsync(instance);
        }
    }

    private static async Task WaitForAllAsync(Arrivals arrivals, int count)
    {
        var arrived = 0;
        await Eventually.TrueAsync(
            () => (arrived = arrivals.All.Select(arrival => arrival.Id).Distinct().Count()) >= count,
            Deadline,
            () => $"{arrived} of {count} messages arrived");
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        kill.WaitForExit();
    }

    private static async Task EndAsync(Process process)
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
