using System.Collections.Concurrent;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>What a raw client gets of scheduled messages, and when.</summary>
internal sealed class ScheduleReceipts : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Guid, ConcurrentQueue<(DateTimeOffset At, bool IsMarked)>> _all = new();
    private readonly IChannel _channel;

    private ScheduleReceipts(IChannel channel, string queue) => (_channel, Queue) = (channel, queue);

    public string Queue { get; }

    public static async Task<ScheduleReceipts> StartAsync(RawClient raw, string queue = "receipts")
    {
        var receipts = new ScheduleReceipts(await raw.Connection.CreateChannelAsync(), queue);
        await receipts._channel.QueueDeclareAsync(receipts.Queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { [Headers.XQueueType] = "quorum" });
        var consumer = new AsyncEventingBasicConsumer(receipts._channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            receipts._all.GetOrAdd(Guid.Parse(delivery.BasicProperties.MessageId!), _ => new())
                .Enqueue((DateTimeOffset.UtcNow, delivery.BasicProperties.Headers?.ContainsKey(RetryHeaderNames.Repeated) == true));
            return Task.CompletedTask;
        };
        await receipts._channel.BasicConsumeAsync(receipts.Queue, autoAck: true, consumer);
        return receipts;
    }

    /// <summary>Waits until all of these have arrived.</summary>
    public Task WaitForAsync(IEnumerable<Guid> ids, TimeSpan deadline)
    {
        var wanted = ids.ToList();
        return Eventually.TrueAsync(() => wanted.All(_all.ContainsKey), deadline, () => $"{wanted.Count(id => !_all.ContainsKey(id))} of {wanted.Count} have not arrived", TimeSpan.FromMilliseconds(250));
    }

    /// <summary>Compares what was scheduled with what arrived.</summary>
    public ScheduleVerdict Judge(IReadOnlyList<ScheduledOne> sent)
    {
        var arrived = sent.Where(one => _all.ContainsKey(one.Id)).Select(one => (one.Due, Receipts: _all[one.Id].ToList())).ToList();
        var lateness = arrived.Select(one => one.Receipts.Min(receipt => receipt.At) - one.Due).Order().ToList();
        return new(
            sent.Count(one => one.CancelledAt is null && !_all.ContainsKey(one.Id)),
            lateness.Count(late => late < TimeSpan.Zero),
            sent.Count(one => one.MayNotArrive && _all.ContainsKey(one.Id)),
            arrived.Sum(one => one.Receipts.Count - 1),
            arrived.Sum(one => Math.Max(one.Receipts.Count(receipt => !receipt.IsMarked) - 1, 0)),
            lateness[lateness.Count / 2],
            lateness[(int)(lateness.Count * 0.99)],
            lateness[^1]);
    }

    public async ValueTask DisposeAsync() => await _channel.DisposeAsync();
}
