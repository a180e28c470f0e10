using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Configuration;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>A limited point without MassTransit: its queues, and as many limiters as a test wants.</summary>
internal sealed class LimitedPoint : IAsyncDisposable
{
    private static int _created;

    private readonly List<(CancellationTokenSource Stop, Task Run)> _running = [];

    private LimitedPoint(Uri broker, RetryPointNames names, RawClient raw)
    {
        Broker = broker;
        Names = names;
        Raw = raw;
    }

    public Uri Broker { get; }

    public RetryPointNames Names { get; }

    public RawClient Raw { get; }

    public List<RedeliveryLimiter> Limiters { get; } = [];

    /// <summary>Declares the ladder, the point and its work queue.</summary>
    public static async Task<LimitedPoint> CreateAsync(Uri broker, string queue = "work", IDictionary<string, object?>? workArguments = null)
    {
        var raw = await RawClient.ConnectAsync(broker);
        var names = RetryPointNames.For(queue);
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            workArguments ??= new Dictionary<string, object?>();
            workArguments[Headers.XQueueType] = "quorum";
            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, workArguments);
        }

        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder.Then(TopologyPlan.Point(names, withRelease: true)));
        return new LimitedPoint(broker, names, raw);
    }

    /// <summary>Puts messages into the release queue, as the foot of the ladder does.</summary>
    public Task FillAsync(int count, int from = 0, Action<BasicProperties>? more = null) => SendAsync(DelayLadder.Route(TimeSpan.Zero, Names.Release), count, from, more);

    /// <summary>Sends messages up the ladder, as those do that have failed.</summary>
    public Task FailAsync(int count, int from, TimeSpan delay, string destination) => SendAsync(DelayLadder.Route(delay, destination), count, from, more: null);

    private async Task SendAsync(LadderRoute route, int count, int from, Action<BasicProperties>? more)
    {
        await using var channel = await Raw.Connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true, outstandingPublisherConfirmationsRateLimiter: null));
        var sent = new List<Task>();
        for (var i = from; i < from + count; i++)
        {
            var properties = new BasicProperties { Headers = new Dictionary<string, object?> { ["retry-origin"] = Names.Work, ["retry-attempt"] = 2 } };
            more?.Invoke(properties);
            sent.Add(channel.BasicPublishAsync(route.Exchange, route.RoutingKey, mandatory: true, properties, Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture))).AsTask());
        }

        foreach (var one in sent)
        {
            await one;
        }
    }

    /// <summary>Starts limiters in this process.</summary>
    public void Start(double? perSecond, int instances = 1, int burst = 1, Uri? through = null, int consumerPrefetch = 0)
    {
        for (var i = 0; i < instances; i++)
        {
            var limiter = Create(through ?? Broker, Names.Work, perSecond, burst, consumerPrefetch, NullLogger.Instance);
            Limiters.Add(limiter);
            var stop = new CancellationTokenSource();
            _running.Add((stop, Task.Run(() => limiter.RunAsync(stop.Token))));
        }
    }

    public static RedeliveryLimiter Create(Uri broker, string queue, double? perSecond, int burst, int consumerPrefetch, ILogger logger)
    {
        var options = new LimiterOptions
        {
            Names = RetryPointNames.For(queue),
            Limit = perSecond is { } rate ? new RedeliveryLimit(rate, burst) : null,
            ConsumerPrefetch = consumerPrefetch,
            Instance = $"test:{Interlocked.Increment(ref _created)}",
            ConnectAsync = (prepare, cancellation) =>
            {
                var factory = new ConnectionFactory { Uri = broker };
                prepare(factory);
                return factory.CreateConnectionAsync("limiter", cancellation);
            },
        };
        return new RedeliveryLimiter(options, TimeProvider.System, Random.Shared, logger);
    }

    /// <summary>Starts a limiter, or those of several points (<c>a,b</c>), in a process of its own, to be killed.</summary>
    public static async Task<System.Diagnostics.Process> StartProcessAsync(Uri broker, string queue, double perSecond)
    {
        var process = TestProcess.Start(TestProcess.LimiterRole, new Dictionary<string, string>
        {
            [LimiterProcess.BrokerVariable] = broker.ToString(),
            [LimiterProcess.QueueVariable] = queue,
            [LimiterProcess.RateVariable] = perSecond.ToString("R", CultureInfo.InvariantCulture),
        });
        (await process.StandardOutput.ReadLineAsync())?.Trim();
        return process;
    }

    /// <summary>Waits until the others know what the code says.</summary>
    public static Task WaitForCodeAsync(IConnection connection, string queue, TimeSpan deadline) => Eventually.TrueAsync(
        async () => (await new LimiterControl(connection).ReadAsync(queue)).Code is not null,
        deadline,
        () => $"no limiter of '{queue}' said what its code says");

    /// <summary>Stops the limiter that was started first.</summary>
    public async Task StopFirstAsync()
    {
        var (stop, run) = _running[0];
        _running.RemoveAt(0);
        Limiters.RemoveAt(0);
        await stop.CancelAsync();
        await run;
        stop.Dispose();
    }

    public async Task StopAsync()
    {
        foreach (var (stop, _) in _running)
        {
            await stop.CancelAsync();
        }

        await Task.WhenAll(_running.Select(one => one.Run));
        _running.ForEach(one => one.Stop.Dispose());
        _running.Clear();
        Limiters.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Raw.DisposeAsync();
    }
}
