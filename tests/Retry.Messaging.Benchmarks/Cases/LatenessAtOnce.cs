using System.Diagnostics;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>Thousands of messages that are due at one instant, as after an outage whose end was announced.</summary>
internal sealed class LatenessAtOnce : IBenchmark
{
    private const int UsualMessages = 20_000;
    private const double PublishedPerSecond = 5000;

    private static readonly TimeSpan AfterTheLast = TimeSpan.FromSeconds(1);

    public string Name => "lateness-at-once";

    public string Description => "How late messages come back of which thousands are due at one instant";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var messages = Math.Min(context.Messages(UsualMessages), LatenessSide.GroupSize);
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder, cancellationToken: cancellationToken);
        await using var rawSide = await LatenessSide.StartRawAsync(raw, Never, context.Rounds + 1, cancellationToken);
        await using var ours = await LatenessSide.StartOursAsync(host.Address, raw, Never, context.Rounds + 1, cancellationToken);
        await using var publisher = await RawPublisher.OpenAsync(raw.Connection, cancellationToken);

        var stretch = Stretch.Start(context.Broker.ProcessId);
        var samples = await AlternatingRounds.RunAsync<Percentiles>(
            [
                new(rawSide.Name, token => RoundAsync(rawSide, token)),
                new(ours.Name, token => RoundAsync(ours, token)),
            ],
            context.Rounds,
            context.Report,
            cancellationToken);
        var sample = stretch.End(messages * 2 * (context.Rounds + 1));
        return new BenchmarkResult(
            Name,
            $"{messages:N0} messages due at one instant",
            "A raw client puts them on the ladder, for ours with the headers of a failed message, each for the time that is left until one instant: they wait on several rungs and are due within 100 ms of each other. Late is the time from then to the start of the next attempt, so the slowest tells how long the herd takes.",
            [.. new[] { rawSide, ours }.Zip(samples, static (side, rounds) => new ResultRow(side.Name, LatenessFigures.Of(rounds)))])
        {
            Others = ResultRow.Others([sample]),
        };

        async Task<Percentiles> RoundAsync(LatenessSide side, CancellationToken token)
        {
            var (group, first) = side.Open(messages);
            var wait = TimeSpan.FromSeconds(messages / PublishedPerSecond) + AfterTheLast;
            var started = Stopwatch.GetTimestamp();
            for (var number = 0; number < messages; number++)
            {
                // on a machine that is too slow the last ones are published after the instant, and due a step later
                var left = wait - Stopwatch.GetElapsedTime(started);
                await side.PutOnLadderAsync(publisher, first + number, left > DelayLadder.Step ? left : DelayLadder.Step, token);
            }

            return await group.FinishedAsync(token);
        }

        static TimeSpan Never() => throw new BenchmarkException("A message that was put on the ladder came as a first attempt.");
    }
}
