using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>Ten thousand, a hundred thousand and a million parked messages of 1 KB, while 200 more are parked in each second.</summary>
/// <remarks>What is compared is measured in one run, one after the other, on the same messages.</remarks>
[Collection(LotBroker.Name)]
public sealed class ParkedFiguresTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const double MostMegabytes = 300;
    private const double MostBytesAMessage = 16;
    private const double SlowestOfBareReading = 1.3;
    private const double SlowestOfMover = 0.9;
    private const int Points = 200;

    // a smaller replay is over before its process is warm
    private const int Chosen = 10_000;
    private static readonly TimeSpan MostForPoints = TimeSpan.FromSeconds(2);
    private static readonly int[] Sizes = [.. (Environment.GetEnvironmentVariable("RETRY_TEST_PARKED") ?? "10000 100000 1000000").Split(' ').Select(int.Parse)];

    [Fact]
    [Trait("Category", "Long")]
    public async Task A_million_parked_messages_are_grouped_counted_and_replayed_in_little_memory_and_at_the_brokers_speed()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await using var parking = SteadyParking.Start(lot);
        var peaks = new List<(int Size, double Megabytes)>();
        var ratios = new List<(double Slowdown, double OfMover)>();
        var (parked, taken) = (0, 0);
        foreach (var size in Sizes)
        {
            var chosen = Math.Min(Chosen, (size - parked) / 3);
            await FillAsync(lot, parked, size, chosen);
            parked = size;

            // the broker's first reading of a message takes a fraction of every later one, whoever reads
            var (before, fresh, _) = await RawReading.ReadAsync(lot.Address, RawLot.Parked);
            await ReadyAsync(lot, Left);
            var (_, read, bare) = await RawReading.ReadAsync(lot.Address, RawLot.Parked);
            await ReadyAsync(lot, Left);
            var groups = await RunAsync(lot, $"parked list {RawLot.Work} --group-by fingerprint --json");
            JsonDocument.Parse(groups.Output.Split('\n')[0]).RootElement.GetProperty("count").GetInt64().ShouldBeGreaterThan(before.Count - 1);
            await ReadyAsync(lot, Left);
            var dryRun = await RunAsync(lot, $"parked replay {RawLot.Work} --header batch={size}-replay --dry-run --json");
            JsonDocument.Parse(dryRun.Output).RootElement.GetProperty("count").GetInt64().ShouldBe(chosen);
            await ReadyAsync(lot, Left);

            var mover = await ArrivalsAsync(lot, chosen, async () =>
            {
                var route = DelayLadder.Route(TimeSpan.Zero, RawLot.Work);
                await RawMover.MoveAsync(lot.Address, RawLot.Parked, $"{size}-move", chosen, BrokerNames.ReturnExchange, route.RoutingKey);
                return null;
            });
            taken += chosen;
            await ReadyAsync(lot, Left);
            var replay = await ArrivalsAsync(lot, chosen, () => RunAsync(lot, $"parked replay {RawLot.Work} --header batch={size}-replay --yes --json")!);
            JsonDocument.Parse(replay.Run!.Output).RootElement.GetProperty("count").GetInt64().ShouldBe(chosen);
            taken += chosen;
            await ReadyAsync(lot, Left);

            var (after, _, _) = await RawReading.ReadAsync(lot.Address, RawLot.Parked);
            var ratio = mover.Took / replay.Took;
            var slowdown = groups.Took / bare;
            peaks.Add((size, new[] { groups, dryRun, replay.Run }.Max(run => run.PeakMegabytes)));
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{size:N0} parked ({before.Count:N0} when read): bare reading {fresh.TotalSeconds:0.0} s at first, {read.TotalSeconds:0.0} s again, and given back {bare.TotalSeconds:0.0} s, groups {groups.Took.TotalSeconds:0.0} s ({slowdown:0.00} x; {groups.Processor.TotalSeconds:0.0} s of a processor), {groups.PeakMegabytes:0} MB; dry run {dryRun.Took.TotalSeconds:0.0} s, {dryRun.PeakMegabytes:0} MB; replay of {chosen:N0} {replay.Run.Took.TotalSeconds:0.0} s, {replay.Run.PeakMegabytes:0} MB; first to last copy {replay.Took.TotalSeconds:0.00} s, mover {mover.Took.TotalSeconds:0.00} s ({ratio:0.00} x)"));

            // by a raw client: what was not selected is there, and what was selected is gone
            before.RemoveWhere(id => id.EndsWith($"{size}-move", StringComparison.Ordinal) || id.EndsWith($"{size}-replay", StringComparison.Ordinal));
            before.Except(after).Take(5).ShouldBeEmpty();
            after.Except(before).Where(id => !id.StartsWith("later", StringComparison.Ordinal)).Take(5).ShouldBeEmpty();
            replay.Ids.Order().ShouldBe(Enumerable.Range(0, chosen).Select(number => Id(number, $"{size}-replay")).Order());
            ratios.Add((slowdown, chosen == Chosen ? ratio : SlowestOfMover));
        }

        int Left() => parked + parking.Parked - taken;

        output.WriteLine($"parked meanwhile: {await parking.StopAsync():N0}");
        await PointsAsync(lot);
        // what may be on its way at once is bounded, and a lot of ten thousand does not fill that
        var bytes = (peaks[^1].Megabytes - peaks[^2].Megabytes) * 1024 * 1024 / (peaks[^1].Size - peaks[^2].Size);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes:0.0} bytes a message more"));
        ratios[^1].Slowdown.ShouldBeLessThanOrEqualTo(SlowestOfBareReading);
        ratios.ShouldAllBe(ratio => ratio.OfMover >= SlowestOfMover);
        peaks.ShouldAllBe(peak => peak.Megabytes < MostMegabytes);
        bytes.ShouldBeLessThanOrEqualTo(MostBytesAMessage);
    }

    private async Task<MeasuredCommand> RunAsync(RawLot lot, string line)
    {
        var run = await MeasuredCommand.RunAsync(lot.Address, broker.Broker.ManagementUri!, line);
        run.ExitCode.ShouldBe(0, $"{line}: {run.Output}");
        return run;
    }

    // the overview of all points, that lot among them
    private async Task PointsAsync(RawLot lot)
    {
        var left = await lot.CountAsync(RawLot.Parked);
        for (var i = 1; i < Points; i++)
        {
            var point = $"point-{i}";
            await lot.Channel.QueueDeclareAsync(point, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
            await TopologyDeclarer.DeclareAsync(lot.Connection, TopologyPlan.Point(RetryPointNames.For(point), withRelease: false));
        }

        var best = TimeSpan.MaxValue;
        await Eventually.TrueAsync(
            async () =>
            {
                var run = await RunAsync(lot, "points --json");
                var points = JsonDocument.Parse(run.Output).RootElement.GetProperty("points");
                best = run.Took < best ? run.Took : best;
                return points.GetArrayLength() == Points && points.EnumerateArray().Sum(point => point.GetProperty("parked").GetInt64()) >= left;
            },
            TimeSpan.FromMinutes(1));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"points: {Points} in {best.TotalSeconds:0.00} s"));
        best.ShouldBeLessThan(MostForPoints);
    }

    private static async Task FillAsync(RawLot lot, int from, int to, int chosen)
    {
        await using var connection = await BrokerFixture.ConnectAsync(lot.Address);
        await using var channel = await RawLot.OpenForManyAsync(connection, tracking: true);
        var body = new string('x', 1024);
        var every = (to - from) / chosen;
        foreach (var window in Enumerable.Range(from, to - from).Chunk(1000))
        {
            await Task.WhenAll(window.Select(number =>
            {
                var (place, kind) = ((number - from) / every, (number - from) % every);
                var batch = place >= chosen ? "rest" : kind switch { 0 => $"{to}-replay", 1 => $"{to}-move", _ => "rest" };
                return lot.ParkAsync(batch == "rest" ? Id(number, batch) : Id(place, batch), ParkReason.Exhausted, properties => properties.Headers!["batch"] = batch, body: body, through: channel);
            }));
        }
    }

    private static string Id(int number, string batch) => $"{number}-{batch}";

    // What was held is ready again a moment after its reader has gone. How many there should be is asked after how many there are: what was
    // parked in between must not stand for what is not back.
    private static Task ReadyAsync(RawLot lot, Func<int> left) => Eventually.TrueAsync(async () => await lot.CountAsync(RawLot.Parked) is var ready && ready >= left(), TimeSpan.FromMinutes(2));

    /// <summary>How long it takes from the first to the last message that arrives at work, by a raw client.</summary>
    private static async Task<(TimeSpan Took, IReadOnlyList<string> Ids, MeasuredCommand? Run)> ArrivalsAsync(RawLot lot, int count, Func<Task<MeasuredCommand?>> move)
    {
        await using var connection = await BrokerFixture.ConnectAsync(lot.Address);
        await using var channel = await connection.CreateChannelAsync();
        var (ids, first, last) = (new List<string>(), 0L, 0L);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, args) =>
        {
            last = Stopwatch.GetTimestamp();
            first = ids.Count == 0 ? last : first;
            ids.Add(args.BasicProperties.MessageId!);
            if (ids.Count == count)
            {
                end.SetResult();
            }

            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(RawLot.Work, autoAck: true, consumer);
        var run = await move();
        await end.Task.WaitAsync(TimeSpan.FromMinutes(1));
        return (Stopwatch.GetElapsedTime(first, last), ids, run);
    }
}
