using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Observing;

/// <summary>Reads a stream with a plain client.</summary>
internal static class RawStream
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    /// <summary>Counts the records of a stream by reading them: the number that a declaration tells lags behind.</summary>
    public static async Task<long> CountAsync(IConnection connection, string stream)
    {
        await using var channel = await connection.CreateChannelAsync();
        await channel.BasicQosAsync(0, 500, global: false);
        var count = 0L;
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            Interlocked.Increment(ref count);
            await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
        };
        await channel.BasicConsumeAsync(stream, autoAck: false, string.Empty, noLocal: false, exclusive: false, new Dictionary<string, object?> { ["x-stream-offset"] = "first" }, consumer);
        // all is read when nothing came between two looks
        var before = -1L;
        await Eventually.TrueAsync(() => before == (before = Interlocked.Read(ref count)), Deadline, () => $"records still come after {count}", every: Quiet);
        return before;
    }
}
