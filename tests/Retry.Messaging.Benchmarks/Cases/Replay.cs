using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>Moving parked messages back to work: the parking lot's replay against a loop that only moves.</summary>
internal sealed class Replay : IBenchmark
{
    private const int UsualMessages = 10_000;
    private const string Queue = "replayed";

    public string Name => "replay";

    public string Description => "Replay of parked messages against a raw mover";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var messages = context.Messages(UsualMessages);
        var names = RetryPointNames.For(Queue);
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await raw.DeclareAsync(Queue, cancellationToken);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder.Then(TopologyPlan.Point(names, withRelease: false)), cancellationToken: cancellationToken);
        var samples = await AlternatingRounds.RunAsync<Sample>(
            [
                new("raw mover", token => RoundAsync(MoveAsync, token)),
                new("replay", token => RoundAsync(ReplayAsync, token)),
            ],
            context.Rounds,
            context.Report,
            cancellationToken);
        var (mover, ours) = (samples[0], samples[1]);
        return new BenchmarkResult(
            Name,
            "Replay against a raw mover",
            $"{messages:N0} messages of {ParcelBody.TextBytes} bytes, parked with reason, history and fault headers, go back to their work queue, through the same exchange, mandatory and confirmed; each is acknowledged after its confirm. Ours reads each message's state, selects, writes new headers, and streams what was moved; the raw mover passes bytes on, and confirms and acknowledges in batches.",
            [
                ResultRow.Of("raw mover", mover),
                ResultRow.Of("IParkingLot.ReplayAsync", ours, mover),
            ])
        {
            Others = ResultRow.Others(samples.SelectMany(side => side)),
            Targets = [new("replay vs raw mover", Figure.Ratio("x", ResultRow.Rate(ours), ResultRow.Rate(mover)), 0.8, 0.95)],
        };

        async Task<Sample> RoundAsync(Func<CancellationToken, Task<Sample>> move, CancellationToken token)
        {
            await raw.FillAsync(names.Parked, messages, number => FailedParcel.Parked(number, Queue), token);
            var sample = await move(token);
            await raw.ExpectEmptyAsync(names.Parked, token);
            if (await raw.PurgeAsync(Queue, token) is var arrived && arrived != messages)
            {
                throw new BenchmarkException($"{arrived} of {messages} messages arrived in '{Queue}'.");
            }

            return sample;
        }

        async Task<Sample> ReplayAsync(CancellationToken token)
        {
            var lot = new ParkingLot(raw.Connection);
            var stretch = Stretch.Start(context.Broker.ProcessId);
            var moved = 0;
            await foreach (var message in lot.ReplayAsync(Queue, ParkedFilter.All, cancellationToken: token))
            {
                moved++;
            }

            return stretch.End(moved);
        }

        async Task<Sample> MoveAsync(CancellationToken token)
        {
            var route = DelayLadder.Route(TimeSpan.Zero, Queue);
            var stretch = Stretch.Start(context.Broker.ProcessId);
            await using var moving = await RawMover.StartAsync(raw.Connection, names.Parked, BrokerNames.ReturnExchange, route.RoutingKey, messages, token);
            await moving.FinishedAsync(token);
            return stretch.End(messages);
        }
    }
}
