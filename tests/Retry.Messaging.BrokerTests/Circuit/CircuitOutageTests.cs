using System.Text.Json;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Testing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>Real processes and an outage, counted by the ledger of the target.</summary>
[Collection(OperatorBroker.Name)]
public sealed class CircuitOutageTests(BrokerFixture broker, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private const int Messages = 10;
    private const int Restarts = 25;

    // as long as the judgement looks back, so that no retry comes meanwhile
    private static readonly TimeSpan SlowRetry = TimeSpan.FromMinutes(10);

    /// <summary>As long as the target is down.</summary>
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("RETRY_OUTAGE_SECONDS") ?? "120"));

    /// <summary>The same, where a message comes every twenty seconds.</summary>
    private static readonly TimeSpan RareOutage = TimeSpan.FromMinutes(int.Parse(Environment.GetEnvironmentVariable("RETRY_RARE_OUTAGE_MINUTES") ?? "30"));

    [Fact]
    [Trait("Category", "Long")]
    public async Task Sixteen_processes_spare_an_ill_target_over_restarts_and_kills()
    {
        var unprotected = await RunAsync(breaker: false, disturbed: false);
        var spared = await RunAsync(breaker: true, disturbed: true);

        output.WriteLine($"{unprotected} calls of an ill target without a breaker, {spared} with one");
        spared.ShouldBeLessThan(unprotected / 50);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Where_a_message_comes_every_twenty_seconds_an_outage_costs_a_dozen_attempts()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var cluster = new CircuitCluster(address, breaker: true, Interval) { Delay = SlowRetry };
        await cluster.StartAsync(3);
        cluster.Make(ill: true);
        var down = DateTime.UtcNow;
        await cluster.BeginSendingAsync(0.05);

        DateTimeOffset? openSince = null;
        await Eventually.TrueAsync(async () => (openSince = await OpenSinceAsync(address)) is not null, TimeSpan.FromMinutes(6));
        await Scenario.PauseAsync(down + RareOutage - DateTime.UtcNow);
        var (opened, failed) = (openSince!.Value.UtcDateTime, cluster.Calls());
        cluster.Make(ill: false);
        var up = DateTime.UtcNow;
        await Eventually.TrueAsync(() => cluster.Calls().Any(call => call.IsDone), Deadline);
        var sent = await cluster.EndSendingAsync();
        await Eventually.TrueAsync(() => Done(cluster) == sent, SlowRetry + Deadline, () => $"{Done(cluster)} of {sent} done");

        var attempts = failed.Count(call => call.At < opened + TimeSpan.FromSeconds(2));
        var used = cluster.Calls().Where(call => call.IsDone).Sum(call => call.Attempt - 1);
        output.WriteLine($"open {(opened - down).TotalSeconds:0} s after the first message, after {attempts} attempts; {failed.Count - attempts} probes in {(up - opened).TotalMinutes:0.0} min; {used} attempts used by {sent} messages");
        attempts.ShouldBeLessThanOrEqualTo(12);
        used.ShouldBe(attempts);
        (failed.Count - attempts).ShouldBeInRange(1, (int)((up - opened) / Interval) + 1, "one probe in an interval, and none of them is an attempt");
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task What_only_waited_when_its_process_died_is_no_suspect()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var cluster = new CircuitCluster(address, breaker: true, TimeSpan.FromSeconds(30));
        await cluster.StartAsync(1);
        cluster.Make(ill: true);
        await cluster.SendAsync(Messages);
        await Eventually.TrueAsync(() => cluster.Calls().Count >= 12, Deadline);
        await Scenario.PauseAsync(TimeSpan.FromSeconds(4));

        // more often than a message may be there when its process dies; all of them are held by the one that there is
        for (var death = 0; death < 16; death++)
        {
            await cluster.EndAsync(cluster.Processes[^1], kill: true);
            await cluster.StartAsync(1);
            await Scenario.PauseAsync(TimeSpan.FromSeconds(2));
        }

        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
        cluster.Make(ill: false);
        await Eventually.TrueAsync(() => Done(cluster) == Messages, Deadline, () => $"{Done(cluster)} of {Messages} done");
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
        output.WriteLine($"all done; {cluster.Calls().Count(call => !call.IsDone)} calls failed");
    }

    private async Task<int> RunAsync(bool breaker, bool disturbed)
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var cluster = new CircuitCluster(address, breaker, Interval);
        await cluster.StartAsync(16);
        await cluster.BeginSendingAsync(50);
        await Eventually.TrueAsync(() => cluster.Calls().Count > 500, Deadline);

        cluster.Make(ill: true);
        var down = DateTime.UtcNow;
        await DisturbAsync(cluster, broker.Broker, down + Outage, disturbed ? Restarts : 0);
        await Scenario.PauseAsync(down + Outage - DateTime.UtcNow is { Ticks: > 0 } rest ? rest : TimeSpan.Zero);
        cluster.Make(ill: false);
        var up = DateTime.UtcNow;
        await Scenario.PauseAsync(TimeSpan.FromSeconds(20));
        var sent = await cluster.EndSendingAsync();
        await Eventually.TrueAsync(() => Done(cluster) == sent, Deadline, () => $"{Done(cluster)} of {sent} done");

        var calls = cluster.Calls();
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
        var failed = calls.Where(call => !call.IsDone).ToList();
        var twelfth = failed[11].At;
        var late = failed.Where(call => call.At > twelfth + TimeSpan.FromSeconds(2) && call.At < up).ToList();
        output.WriteLine($"breaker {breaker}: {failed.Count} failed, {late.Count} later than 2 s after the twelfth error; the outage {(up - down).TotalSeconds:0} s; {sent} sent");
        if (breaker)
        {
            // all of a message's failures but the probes' have made an attempt of it
            var used = calls.Where(call => call.IsDone).GroupBy(call => call.Message).Sum(done => done.Min(call => call.Attempt) - 1);
            output.WriteLine($"{used} attempts used");
            used.ShouldBeLessThanOrEqualTo(failed.Count - late.Count, "no attempt is used by what began later");
            late.Count.ShouldBeLessThanOrEqualTo((int)((up - twelfth) / Interval) + 1, "one probe in an interval");
            var firstGood = calls.First(call => call.IsDone && call.At > twelfth + TimeSpan.FromSeconds(2)).At;
            var full = FullAt(calls, firstGood);
            output.WriteLine($"first good probe {(firstGood - up).TotalSeconds:0.0} s after the target was well; 50/s again {(full - firstGood).TotalSeconds:0.0} s after that");
            (full - firstGood).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        }

        return failed.Count(call => call.At < up);
    }

    // the first second of full speed
    private static DateTime FullAt(IReadOnlyList<CircuitCluster.Call> calls, DateTime from) => Enumerable.Range(0, 200)
        .Select(tenth => from + TimeSpan.FromMilliseconds(100 * tenth))
        .First(second => calls.Count(call => call.IsDone && call.At >= second && call.At < second + TimeSpan.FromSeconds(1)) >= 50);

    private static int Done(CircuitCluster cluster) => cluster.Calls().Where(call => call.IsDone).Select(call => call.Message).Distinct().Count();

    private async Task<DateTimeOffset?> OpenSinceAsync(Uri address)
    {
        var status = await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "breaker status payments --json");
        return JsonDocument.Parse(status.Output).RootElement.TryGetProperty("openSince", out var since) ? since.GetDateTimeOffset() : null;
    }

    // one in five is killed, the others restart in good order; and twice whoever judges is killed
    private static async Task DisturbAsync(CircuitCluster cluster, PrivateBroker broker, DateTime until, int times)
    {
        for (var time = 0; time < times; time++)
        {
            var pause = (until - DateTime.UtcNow) / (times - time + 1);
            await Scenario.PauseAsync(pause > TimeSpan.Zero ? pause : TimeSpan.Zero);
            await cluster.EndAsync(cluster.Processes[0], kill: time % 5 == 0);
            await cluster.StartAsync(1);
            if (time == times / 3 || time == 2 * times / 3)
            {
                await cluster.EndAsync(await cluster.FindJudgeAsync(broker), kill: true);
                await cluster.StartAsync(1);
            }
        }
    }
}
