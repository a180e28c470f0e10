using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>What it costs to schedule the more messages, the more are scheduled already, and what the index of them costs.</summary>
internal sealed class ScheduledBacklog : IBenchmark
{
    private const int UsualMessages = 1_000_000;
    private const int Parts = 10;
    private const int AtOnce = 100;
    private const double Mebibyte = 1024 * 1024;

    private static readonly string Text = new('x', ParcelBody.TextBytes);
    private static readonly Uri Destination = new("queue:scheduled");

    public string Name => "schedule-backlog";

    public string Description => "1,000,000 messages are scheduled by MassTransit's scheduler, half of them with the index: rate and memory as they become more";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var each = Math.Max(AtOnce, context.Messages(UsualMessages) / Parts / 2);
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var without = await StartAsync(host.Address, index: false, cancellationToken);
        await using var with = await StartAsync(host.Address, index: true, cancellationToken);
        await ScheduleAsync(without, AtOnce, cancellationToken);
        await ScheduleAsync(with, AtOnce, cancellationToken);

        List<(Sample Without, Sample With, double? Broker, double? Client)> parts = [];
        for (var part = 1; part <= Parts; part++)
        {
            context.Report($"part {part} of {Parts}");
            // each is first in every other part
            var first = part % 2 == 0 ? with : without;
            var one = await MeasureAsync(first);
            var other = await MeasureAsync(first == with ? without : with);
            var (plain, indexed) = first == with ? (other, one) : (one, other);
            parts.Add((plain, indexed, ProcessMemory.Of(context.Broker.ProcessId) / Mebibyte, ProcessMemory.Of(Environment.ProcessId) / Mebibyte));
        }

        Figure plainRates = new("without index/s", [.. parts.Select(part => part.Without.PerSecond)]);
        Figure indexedRates = new("with index/s", [.. parts.Select(part => part.With.PerSecond)]);
        var all = parts.SelectMany(part => new[] { part.Without, part.With }).ToList();
        return new BenchmarkResult(
            Name,
            "Many scheduled messages",
            $"{2 * each * Parts:N0} messages are scheduled with MassTransit's IMessageScheduler for times from five to nine hours later, {AtOnce} calls at once, each confirmed. In each of {Parts} parts one half goes by a service that writes the index, the other by one that does not. Memory: what the two processes hold (RSS) after the part; the client is both services.",
            [.. parts.Select((part, index) => new ResultRow($"{2 * each * (index + 1):N0} scheduled", Row(part)))])
        {
            Others = ResultRow.Others(all),
            Targets =
            [
                new("scheduling with the index vs without", Figure.Ratio("x", indexedRates, plainRates), 0.7, 0.9),
                new("scheduling: last part vs first", new Figure("x", [plainRates.Values[^1] / plainRates.Values[0]], 2), 0.8, 0.95),
            ],
        };

        async Task<Sample> MeasureAsync(BusHost service)
        {
            var stretch = Stretch.Start(context.Broker.ProcessId);
            await ScheduleAsync(service, each, cancellationToken);
            return stretch.End(each);
        }

        static List<Figure> Row((Sample Without, Sample With, double? Broker, double? Client) part)
        {
            List<Figure> figures =
            [
                new("without index/s", [part.Without.PerSecond]),
                new("with index/s", [part.With.PerSecond]),
                new("x without", [part.With.PerSecond / part.Without.PerSecond], 2),
            ];
            if (part is { Broker: { } broker, Client: { } client })
            {
                figures.Add(new Figure("broker MiB", [broker]));
                figures.Add(new Figure("client MiB", [client]));
            }

            return figures;
        }
    }

    private static Task<BusHost> StartAsync(Uri broker, bool index, CancellationToken cancellationToken) => BusHost.StartAsync(
        broker,
        withRetry: false,
        (_, _) => { },
        cancellationToken,
        (_, x) => x.AddGradientScheduler(scheduler => scheduler.ListScheduled = index));

    private static async Task ScheduleAsync(BusHost service, int messages, CancellationToken cancellationToken)
    {
        await using var scope = service.Services.CreateAsyncScope();
        var scheduler = scope.ServiceProvider.GetRequiredService<IMessageScheduler>();
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, messages, options, async (number, token) =>
        {
            // over four hours, so that no rung has them all
            var due = DateTime.UtcNow.AddHours(5).AddSeconds(number % 14_400);
            await scheduler.ScheduleSend(Destination, due, new Parcel(number, Text), token);
        });
    }
}
