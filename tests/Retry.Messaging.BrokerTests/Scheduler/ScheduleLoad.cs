using System.Diagnostics;
using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Messages that are scheduled at an even pace, half of them cancelled at a random moment until a second before they are due; or, without a dispatcher, sent by the ladder alone.</summary>
/// <param name="Count">How many.</param>
/// <param name="During">For how long they are sent.</param>
/// <param name="Longest">The longest delay; each is drawn between it and three seconds.</param>
internal sealed record ScheduleLoad(int Count, TimeSpan During, TimeSpan Longest)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(1);

    /// <summary>Sends to a queue that is bound to the ladder's end, with the same delays: what a plain client gets of the ladder.</summary>
    public Task<IReadOnlyList<ScheduledOne>> RunRawAsync(IConnection connection, string queue) =>
        RunAsync((publisher, _) => OneRawAsync(publisher, queue), connection);

    /// <summary>Schedules and cancels, over a publisher and a stream of its own.</summary>
    public async Task<IReadOnlyList<ScheduledOne>> RunAsync(IConnection connection, string queue)
    {
        await using var stream = new RecordStream(connection, BrokerNames.CancelledStream, CancellationLog.Retention, TimeProvider.System);
        return await RunAsync((publisher, number) => OneAsync(publisher, stream, queue, isCancelled: number % 2 == 0), connection);
    }

    private async Task<IReadOnlyList<ScheduledOne>> RunAsync(Func<ConfirmedPublisher, int, Task<ScheduledOne>> one, IConnection connection)
    {
        await using var publisher = new ConfirmedPublisher(connection);
        var all = new List<Task<ScheduledOne>>(Count);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Count; i++)
        {
            await Scenario.PauseUntilAsync(clock, During * i / Count);
            all.Add(one(publisher, i));
        }

        return await Task.WhenAll(all);
    }

    private DateTimeOffset SomeTime(DateTimeOffset now) => now + Shortest + ((Longest - Shortest) * Random.Shared.NextDouble());

    private async Task<ScheduledOne> OneRawAsync(ConfirmedPublisher publisher, string queue)
    {
        var now = DateTimeOffset.UtcNow;
        var due = SomeTime(now);
        var id = Guid.NewGuid();
        var route = DelayLadder.Route(due - now, queue);
        await publisher.PublishAsync(route.Exchange, route.RoutingKey, new BasicProperties { Persistent = true, MessageId = id.ToString() }, new byte[256], CancellationToken.None);
        return new(id, due, null);
    }

    private async Task<ScheduledOne> OneAsync(ConfirmedPublisher publisher, RecordStream stream, string queue, bool isCancelled)
    {
        var now = DateTimeOffset.UtcNow;
        var due = SomeTime(now);
        var token = ScheduleToken.Create(due);
        var climb = ScheduleClimb.Begin(
            new ScheduleState { DueAt = due, Token = token, Kept = new KeptProperties { Exchange = string.Empty, RoutingKey = queue } },
            now);
        var properties = new BasicProperties
        {
            Persistent = true,
            MessageId = token.ToString(),
            Headers = new Dictionary<string, object?> { [RetryHeaderNames.Schedule] = climb.Header },
        };
        await publisher.PublishAsync(climb.Route.Exchange, climb.Route.RoutingKey, properties, new byte[256], CancellationToken.None);
        if (!isCancelled)
        {
            return new(token, due, null);
        }

        var left = due - Before - DateTimeOffset.UtcNow;
        if (left > TimeSpan.Zero)
        {
            await Scenario.PauseAsync(left * Random.Shared.NextDouble());
        }

        await stream.AppendAsync(CancellationRecords.One(new(token, DateTimeOffset.UtcNow)), default, CancellationToken.None);
        return new(token, due, DateTimeOffset.UtcNow);
    }
}
