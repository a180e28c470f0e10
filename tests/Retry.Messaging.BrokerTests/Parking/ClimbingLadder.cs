using System.Collections.Concurrent;
using System.Diagnostics;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>A ladder with some destinations, climbed by our publisher and read by a plain consumer.</summary>
internal sealed class ClimbingLadder : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    // the same two rungs as the messages that will be lost
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(2300);

    private readonly ConfirmedPublisher _publisher;

    private ClimbingLadder(IConnection connection)
    {
        Connection = connection;
        _publisher = new ConfirmedPublisher(connection);
    }

    public IConnection Connection { get; }

    public static async Task<ClimbingLadder> CreateAsync(Uri address, params string[] queues)
    {
        var ladder = new ClimbingLadder(await BrokerFixture.ConnectAsync(address));
        await TopologyDeclarer.DeclareAsync(ladder.Connection, TopologyPlan.Ladder);
        foreach (var queue in queues)
        {
            await ladder.DeclareAsync(queue);
        }

        return ladder;
    }

    public async Task DeclareAsync(string queue)
    {
        await using var channel = await Connection.CreateChannelAsync();
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { [Headers.XQueueType] = "quorum" });
        await TopologyDeclarer.DeclareAsync(Connection, TopologyPlan.Point(RetryPointNames.For(queue), withRelease: false));
    }

    public async Task ClimbAsync(string destination, TimeSpan delay, string id)
    {
        var route = DelayLadder.Route(delay, destination);
        var now = DateTimeOffset.UtcNow;
        var properties = new BasicProperties { MessageId = id, Persistent = true, Headers = new Dictionary<string, object?>() };
        RetryHeaderWriter.Write(properties.Headers!, new RetryState { Id = id, Attempt = 2, FirstFailedAt = now, DueAt = now + delay }, destination);
        await _publisher.PublishAsync(route.Exchange, route.RoutingKey, properties, "{}"u8.ToArray(), CancellationToken.None);
    }

    /// <summary>The 99th percentile.</summary>
    public static double P99(IReadOnlyCollection<double> late) => late.Order().ElementAt((int)(late.Count * 0.99) - 1);

    /// <summary>How late messages come, in milliseconds: 200 of them over two seconds.</summary>
    public async Task<IReadOnlyCollection<double>> MeasureAsync(string destination, string label, Func<Task>? meanwhile = null)
    {
        const int Count = 200;
        var clock = Stopwatch.StartNew();
        var due = new ConcurrentDictionary<string, TimeSpan>();
        var late = new ConcurrentBag<double>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var channel = await Connection.CreateChannelAsync();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            late.Add((clock.Elapsed - due[delivery.BasicProperties.MessageId!]).TotalMilliseconds);
            if (late.Count == Count)
            {
                all.SetResult();
            }

            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(destination, autoAck: true, consumer);
        var other = meanwhile?.Invoke() ?? Task.CompletedTask;
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        for (var i = 0; i < Count; i++)
        {
            await tick.WaitForNextTickAsync();
            due[$"{label}-{i}"] = clock.Elapsed + Delay;
            await ClimbAsync(destination, Delay, $"{label}-{i}");
        }

        await other;
        await all.Task.WaitAsync(Deadline);
        late.Min().ShouldBeGreaterThanOrEqualTo(0, "nothing comes early");
        return late;
    }

    public async ValueTask DisposeAsync()
    {
        await _publisher.DisposeAsync();
        await Connection.DisposeAsync();
    }
}
