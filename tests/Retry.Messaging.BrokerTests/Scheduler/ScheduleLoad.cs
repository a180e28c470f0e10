using System.Diagnostics;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Messages that are scheduled at an even pace, half of them cancelled at a random moment until a second before they are due.</summary>
/// <param name="Count">How many.</param>
/// <param name="During">For how long.</param>
internal sealed record ScheduleLoad(int Count, TimeSpan During)
{
    /// <summary>The longest delay.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(9);

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(1);

    /// <summary>Schedules and cancels, over a publisher and a stream of its own.</summary>
    public async Task<IReadOnlyList<ScheduledOne>> RunAsync(IConnection connection, string queue)
    {
        await using var publisher = new ConfirmedPublisher(connection);
        await using var stream = new RecordStream(connection, BrokerNames.CancelledStream, CancellationLog.Retention, TimeProvider.System);
        var all = new List<Task<ScheduledOne>>(Count);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Count; i++)
        {
            await Scenario.PauseUntilAsync(clock, During * i / Count);
            all.Add(OneAsync(publisher, stream, queue, isCancelled: i % 2 == 0));
        }

        return await Task.WhenAll(all);
    }

    private static async Task<ScheduledOne> OneAsync(ConfirmedPublisher publisher, RecordStream stream, string queue, bool isCancelled)
    {
        var now = DateTimeOffset.UtcNow;
        var due = now + Shortest + ((Longest - Shortest) * Random.Shared.NextDouble());
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
