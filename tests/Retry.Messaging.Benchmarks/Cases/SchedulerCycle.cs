using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Reporting;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Listing;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>From scheduling a message to its delivery: our dispatcher against a raw mover over the same hops.</summary>
internal sealed class SchedulerCycle : IBenchmark
{
    private const int UsualMessages = 10_000;
    private const string Sink = "scheduled";
    private const string RawQueue = "raw-schedule";

    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);

    public string Name => "scheduler";

    public string Description => "Scheduled messages, from sending to delivery: the dispatcher against a raw mover over the same hops";

    public async Task<BenchmarkResult> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        var messages = context.Messages(UsualMessages);
        await using var host = await MeasuredHost.CreateAsync(context.Broker, cancellationToken);
        await using var raw = await RawClient.ConnectAsync(host.Address, cancellationToken);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder, cancellationToken: cancellationToken);
        await raw.DeclareAsync(Sink, cancellationToken);
        await DeclareRawQueueAsync(raw, cancellationToken);
        var samples = await AlternatingRounds.RunAsync<Sample>(
            [
                new("raw mover", token => RoundAsync(RawQueue, MoveAsync, token)),
                new("ours, cannot be cancelled", token => RoundAsync(BrokerNames.ScheduleQueue, DispatchAsync, token)),
                new("ours", token => RoundAsync(BrokerNames.ScheduleQueue, DispatchAsync, token, withTokens: true)),
                new("ours, with the index", token => RoundAsync(BrokerNames.ScheduleQueue, DispatchAsync, token, withTokens: true, withIndex: true)),
            ],
            context.Rounds,
            context.Report,
            cancellationToken);
        var (mover, ours, indexed) = (samples[0], samples[2], samples[3]);
        return new BenchmarkResult(
            Name,
            "Scheduled messages, from sending to delivery",
            $"{messages:N0} messages of {ParcelBody.TextBytes} bytes are published to the ladder for {Delay.TotalMilliseconds:0} ms (one hop), come into a quorum queue with one active consumer, and are published from there to a quorum queue, mandatory, confirmed, and acknowledged afterwards; a plain consumer takes them. Ours reads when each is due, checks that it was not cancelled, and puts back what was taken off; the raw mover passes bytes on, and confirms and acknowledges in batches. With the index each is noted in the stream that 'retryctl schedule list' reads. From the first publish to the last delivery.",
            [
                ResultRow.Of("raw mover", mover),
                ResultRow.Of("dispatcher, messages without a token", samples[1], mover),
                ResultRow.Of("dispatcher", ours, mover),
                ResultRow.Of("dispatcher, with the index", indexed, mover),
            ])
        {
            Others = ResultRow.Others(samples.SelectMany(side => side)),
            Targets =
            [
                new("schedule to delivery vs raw mover", Figure.Ratio("x", ResultRow.Rate(ours), ResultRow.Rate(mover)), 0.9, 0.95),
                new("the same with the index", Figure.Ratio("x", ResultRow.Rate(indexed), ResultRow.Rate(mover)), 0.7, 0.9),
            ],
        };

        async Task<Sample> RoundAsync(string by, Func<CancellationToken, Task<IAsyncDisposable>> start, CancellationToken token, bool withTokens = false, bool withIndex = false)
        {
            var index = new ScheduleIndexWriter(TimeProvider.System, Random.Shared, NullLogger.Instance);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
            var writing = withIndex ? index.RunAsync(raw.Connection, stop.Token) : Task.CompletedTask;
            var tally = new Tally(messages, context.Broker.ProcessId);
            await using var consuming = await raw.Connection.CreateChannelAsync(cancellationToken: token);
            await consuming.BasicConsumeAsync(Sink, autoAck: true, new Counting(consuming, tally), token);
            await using var moving = await start(token);
            await using var publisher = await RawPublisher.OpenAsync(raw.Connection, token);
            tally.Begin();
            for (var number = 0; number < messages; number++)
            {
                var (route, properties, state) = Scheduled(number, by, withTokens);
                await publisher.PublishAsync(route.Exchange, route.RoutingKey, properties, ParcelBody.Of(number), token);
                if (withIndex)
                {
                    index.Note(new ScheduleNotice(state.DueAt.ToUnixTimeMilliseconds(), string.Empty, Sink, properties.MessageId, state.Token?.ToString(), nameof(Parcel), "bench"));
                }
            }

            var sample = await tally.FinishedAsync(token);
            await stop.CancelAsync();
            await writing;
            return sample;
        }

        async Task<IAsyncDisposable> MoveAsync(CancellationToken token) => await RawMover.StartAsync(raw.Connection, RawQueue, string.Empty, Sink, messages, token);

        async Task<IAsyncDisposable> DispatchAsync(CancellationToken token)
        {
            var dispatcher = new RunningDispatcher(host.Address);
            await raw.WaitForConsumerAsync(BrokerNames.ScheduleQueue, token);
            return dispatcher;
        }
    }

    private static async Task DeclareRawQueueAsync(RawClient raw, CancellationToken cancellationToken)
    {
        await using var channel = await raw.Connection.CreateChannelAsync(cancellationToken: cancellationToken);
        var arguments = new Dictionary<string, object?> { [Headers.XQueueType] = "quorum", [Headers.XSingleActiveConsumer] = true };
        await channel.QueueDeclareAsync(RawQueue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancellationToken);
        await channel.QueueBindAsync(RawQueue, BrokerNames.ReturnExchange, BrokerNames.ReturnPattern(RawQueue), cancellationToken: cancellationToken);
    }

    // both sides carry the same header
    private static (LadderRoute Route, BasicProperties Properties, ScheduleState State) Scheduled(int number, string by, bool withTokens)
    {
        var due = DateTimeOffset.UtcNow + Delay;
        var state = new ScheduleState { DueAt = due, Token = withTokens ? ScheduleToken.Create(due) : null, Kept = new KeptProperties { Exchange = string.Empty, RoutingKey = Sink } };
        var properties = ParcelBody.Properties(number);
        properties.Headers![RetryHeaderNames.Schedule] = ScheduleHeader.Write(state);
        return (DelayLadder.Route(Delay, by), properties, state);
    }

    private sealed class Counting(IChannel channel, Tally tally) : AsyncDefaultBasicConsumer(channel)
    {
        public override Task HandleBasicDeliverAsync(string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
        {
            tally.Done(ParcelBody.NumberOf(properties));
            return Task.CompletedTask;
        }
    }

    private sealed class RunningDispatcher : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _run;

        public RunningDispatcher(Uri broker)
        {
            var options = new ScheduleDispatcherOptions
            {
                ConnectAsync = (prepare, cancellation) =>
                {
                    var factory = new ConnectionFactory { Uri = broker };
                    prepare(factory);
                    return factory.CreateConnectionAsync(cancellation);
                },
            };
            _run = new ScheduleDispatcher(options, TimeProvider.System, Random.Shared, NullLogger.Instance).RunAsync(_stop.Token);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _run;
            _stop.Dispose();
        }
    }
}
