using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Ladder;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Pulse;

/// <summary><c>retryctl delayed release</c> against what a raw client saw climb and arrive.</summary>
[Collection(OperatorBroker.Name)]
public sealed class DelayedReleaseTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Count = 150;
    private const string ThreeSeconds = "0.0.0.0.0.0.3.0.";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MayBeLaterBy = TimeSpan.FromMilliseconds(250);

    // of the two minutes that they would wait; a busy machine included
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData("payments", "payments")]
    [InlineData("refunds", "refunds.release")]
    public async Task What_waits_of_a_point_goes_when_it_comes_by_and_others_on_the_same_rung_are_on_time(string point, string destination)
    {
        await using var scene = await Scene.CreateAsync(broker);
        await using var service = await ReleasableConsumer.StartAsync(scene.Address);
        await scene.StartAsync();
        await scene.FailAsync(service.Bus, point, 0, Count);
        using var stop = new CancellationTokenSource();
        var others = scene.SendOthersAsync(stop.Token);
        // each came by, and went up again
        await Eventually.TrueAsync(() => scene.Climbs.Seen(ThreeSeconds + destination) >= 2 * Count, Deadline, () => $"{scene.Climbs.Seen(ThreeSeconds + destination)} climbs");
        scene.Done.All.ShouldBeEmpty();

        var released = DateTimeOffset.UtcNow;
        var run = await CommandLineRun.RunAsync(scene.Address, null, $"delayed release {point} --yes --json");
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        using var document = JsonDocument.Parse(run.Output);
        document.RootElement.GetProperty("within").GetString().ShouldBe("3s");
        await scene.ArrivedAsync(0, Count);

        await stop.CancelAsync();
        await others;
        var done = scene.Done.All;
        done.Count.ShouldBe(Count);
        (done[^1].At - released).ShouldBeLessThan(Soon);
        // what fails afterwards waits as usual
        await scene.FailAsync(service.Bus, point, Count, 1);
        var climbs = scene.Climbs.Seen(ThreeSeconds + destination);
        await Eventually.TrueAsync(() => scene.Climbs.Seen(ThreeSeconds + destination) > climbs, Deadline);
        scene.Done.All.Count.ShouldBe(Count);
        if (point == "refunds")
        {
            MostInASecond(done.Select(arrival => arrival.At)).ShouldBeLessThanOrEqualTo((int)ReleasableConsumer.PerSecond + 5);
        }

        scene.OthersWereOnTime(output);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Killed_in_the_middle_of_a_release_nothing_is_lost_and_another_process_goes_on()
    {
        await using var scene = await Scene.CreateAsync(broker);
        using var first = await StartProcessAsync(scene.Address);
        await scene.StartAsync();
        await using var producer = await RetryService.StartAsync(scene.Address, (_, _) => { }, _ => { });
        await scene.FailAsync(producer.Bus, "refunds", 0, Count);
        await scene.FailAsync(producer.Bus, "payments", Count, Count);

        foreach (var point in new[] { "payments", "refunds" })
        {
            var run = await CommandLineRun.RunAsync(scene.Address, null, $"delayed release {point} --yes");
            run.ExitCode.ShouldBe(ExitCode.Done, run.Output + run.Error);
            run.Output.ShouldContain("Each goes when it comes by, within 3s");
        }

        await Eventually.TrueAsync(() => scene.Done.All.Count >= Count / 2, Deadline, every: TimeSpan.FromMilliseconds(2));
        first.Kill();
        await first.WaitForExitAsync();
        var left = (2 * Count) - scene.Numbers().Count;
        output.WriteLine($"killed with {left} of {2 * Count} still to come");
        left.ShouldBeGreaterThan(0);

        var clock = Stopwatch.StartNew();
        using var second = await StartProcessAsync(scene.Address);
        await scene.ArrivedAsync(0, 2 * Count);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(90));
        output.WriteLine($"all there after {clock.Elapsed.TotalSeconds:0.0} s, {scene.Done.All.Count - (2 * Count)} of them twice");
        second.Kill();
        await second.WaitForExitAsync();
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Only_what_has_waited_for_long_enough_goes_and_a_point_whose_messages_do_not_come_by_is_refused()
    {
        await using var scene = await Scene.CreateAsync(broker);
        await using var service = await ReleasableConsumer.StartAsync(scene.Address);
        await using var plain = await RetryService.StartAsync(scene.Address, (context, bus) => bus.ReceiveEndpoint("plain", endpoint => endpoint.UseGradientRetry(context, _ => { })));
        await scene.StartAsync();
        await scene.FailAsync(service.Bus, "payments", 0, 5);
        await Scenario.PauseAsync(TimeSpan.FromSeconds(4));
        await scene.FailAsync(service.Bus, "payments", 5, 5);

        var run = await CommandLineRun.RunAsync(scene.Address, null, "delayed release payments --older-than 3s --yes");
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain("what waits of 'payments' for 3s or longer, of ");
        await scene.ArrivedAsync(0, 5);
        var climbs = scene.Climbs.Seen(ThreeSeconds + "payments");
        await Eventually.TrueAsync(() => scene.Climbs.Seen(ThreeSeconds + "payments") >= climbs + 5, Deadline);
        scene.Numbers().ShouldBe(Enumerable.Range(0, 5), ignoreOrder: true);

        var refused = await CommandLineRun.RunAsync(scene.Address, null, "delayed release plain --yes");
        refused.ExitCode.ShouldBe(ExitCode.Failed);
        refused.Error.ShouldContain("Found no ReleasableWithin at 'plain', wanted it to release what waits");
        refused.Error.ShouldContain("Nothing was changed.");
    }

    private static async Task<Process> StartProcessAsync(Uri address)
    {
        var process = TestProcess.Start(TestProcess.ReleasableConsumerRole, new Dictionary<string, string> { [ReleasableConsumer.BrokerVariable] = address.AbsoluteUri });
        (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(ReleasableConsumer.Ready);
        return process;
    }

    private static int MostInASecond(IEnumerable<DateTimeOffset> moments)
    {
        var sorted = moments.Order().ToList();
        return sorted.Max(from => sorted.Count(moment => moment >= from && moment < from.AddSeconds(1)));
    }

    /// <summary>A virtual host, with raw clients at the ladder, at what is done, and at another point on the same rung.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private const string Mails = "mails";
        private const string Alone = "alone";
        private static readonly TimeSpan Delay = TimeSpan.FromSeconds(3);

        private readonly RawClient _raw;
        private readonly RawArrivals _alone;

        private Scene(Uri address, RawClient raw)
        {
            Address = address;
            _raw = raw;
            Climbs = new RawClimbs(raw.Connection);
            Done = new RawArrivals(raw.Connection);
            Others = new RawArrivals(raw.Connection);
            _alone = new RawArrivals(raw.Connection);
        }

        public Uri Address { get; }

        public RawClimbs Climbs { get; }

        public RawArrivals Done { get; }

        /// <summary>What arrives at another point that uses the same rung.</summary>
        public RawArrivals Others { get; }

        public static async Task<Scene> CreateAsync(BrokerFixture broker)
        {
            var address = await broker.CreateVirtualHostAsync();
            return new Scene(address, await RawClient.ConnectAsync(address));
        }

        public async Task StartAsync()
        {
            foreach (var queue in new[] { Mails, Alone })
            {
                await _raw.DeclareQueueAsync(queue);
                await _raw.BindAsync(queue, "retry.v1.return", $"*.*.*.*.*.*.*.*.{queue}");
            }

            await using (var channel = await _raw.Connection.CreateChannelAsync())
            {
                // as MassTransit declares it when something is sent there
                await channel.ExchangeDeclareAsync(ReleasableConsumer.Done, "fanout", durable: true, autoDelete: false);
                await channel.QueueDeclareAsync(ReleasableConsumer.Done, durable: true, exclusive: false, autoDelete: false);
                await channel.QueueBindAsync(ReleasableConsumer.Done, ReleasableConsumer.Done, string.Empty);
            }

            await Climbs.StartAsync("retry.v1.s");
            await Done.StartAsync(ReleasableConsumer.Done);
            await Others.StartAsync(Mails);
            await _alone.StartAsync(Alone);
        }

        /// <summary>Sends messages that fail, and waits until they wait.</summary>
        public async Task FailAsync(IBus bus, string point, int from, int count)
        {
            // those that wait already come by and climb again meanwhile
            var seen = Climbs.Messages;
            var endpoint = await bus.GetSendEndpoint(new Uri("queue:" + point));
            await Task.WhenAll(Enumerable.Range(from, count).Select(number => endpoint.Send(new ReleasableConsumer.Charge(number))));
            await Eventually.TrueAsync(() => Climbs.Messages >= seen + count, Deadline);
        }

        /// <summary>Sends to the other point, twenty in a second: each by the shared rung, and one more by rungs that nobody else uses.</summary>
        public async Task SendOthersAsync(CancellationToken cancellationToken)
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                var sent = Encoding.UTF8.GetBytes(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
                await Task.WhenAll(
                    _raw.PublishAsync("retry.v1.s", ThreeSeconds + Mails, sent),
                    _raw.PublishAsync("retry.v1.s", "0.0.0.0.0.0.2.9." + Alone, sent));
                await Simulate.WorkAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }
        }

        public HashSet<int> Numbers() => Done.All
            .Select(arrival => JsonDocument.Parse(arrival.Body).RootElement.GetProperty("message").GetProperty("number").GetInt32())
            .ToHashSet();

        public Task ArrivedAsync(int from, int count) => Eventually.TrueAsync(
            () => Numbers().IsSupersetOf(Enumerable.Range(from, count)),
            TimeSpan.FromSeconds(90),
            () => $"{Numbers().Count} of {count} are done");

        /// <summary>None by the shared rung was later, by more than is allowed, than those by rungs of their own at the same time; all kept their order.</summary>
        public void OthersWereOnTime(ITestOutputHelper output)
        {
            var shared = Others.Late(Delay).Select(arrival => arrival.Late).ToList();
            var alone = _alone.Late(Delay - DelayLadder.Step).Select(arrival => arrival.Late).ToList();
            output.WriteLine($"of {shared.Count} others on the shared rung the last was {shared.Max().TotalMilliseconds:0} ms late, of {alone.Count} on rungs of their own {alone.Max().TotalMilliseconds:0} ms");
            shared.Count.ShouldBeGreaterThan(40);
            shared.Min().ShouldBeGreaterThan(TimeSpan.FromMilliseconds(-1));
            // a machine that is late by itself tells nothing that is smaller than that
            (shared.Max() - alone.Max()).ShouldBeLessThanOrEqualTo(alone.Max() > MayBeLaterBy ? alone.Max() : MayBeLaterBy);
            var sent = Others.All.Select(arrival => long.Parse(arrival.Body, CultureInfo.InvariantCulture)).ToList();
            sent.ShouldBe(sent.Order());
        }

        public async ValueTask DisposeAsync()
        {
            await Climbs.DisposeAsync();
            await Done.DisposeAsync();
            await Others.DisposeAsync();
            await _alone.DisposeAsync();
            await _raw.DisposeAsync();
        }
    }
}
