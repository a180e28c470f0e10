using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>A whole parking lot read, or emptied of some, by plain consumers that hold what they read.</summary>
internal static class RawReading
{
    // twenty of them hold a million
    private const ushort ReadingWindow = 60_000;

    // a broker's channel looks for an acknowledged message from its oldest one on: between many held ones that takes minutes
    private const ushort TakingWindow = 2000;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    /// <summary>Reads all that is ready, and gives it back.</summary>
    /// <returns>The message ids, and how long the reading took.</returns>
    public static async Task<(HashSet<string> Ids, TimeSpan Took)> ReadAsync(Uri broker, string queue)
    {
        var ids = new ConcurrentQueue<string>();
        var took = await ConsumeAsync(broker, queue, ReadingWindow, ready =>
        {
            var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (
                (_, args) =>
                {
                    ids.Enqueue(args.BasicProperties.MessageId!);
                    if (ids.Count == ready)
                    {
                        end.SetResult();
                    }

                    return Task.CompletedTask;
                },
                end.Task);
        });
        return ([.. ids], took);
    }

    /// <summary>Moves the messages of a batch to a queue, each acknowledged after its confirm, and gives back the others.</summary>
    public static Task MoveAsync(Uri broker, string queue, string batch, int count, string exchange, string routingKey) => ConsumeAsync(broker, queue, TakingWindow, _ =>
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = new ConcurrentDictionary<ulong, (IChannel Channel, ulong Tag)>();
        var (next, oldest) = (0UL, 1UL);
        var moved = 0;
        var turn = new SemaphoreSlim(1, 1);
        IChannel? publishing = null;
        return (
            async (consumer, args) =>
            {
                if (args.BasicProperties.Headers?.TryGetValue("batch", out var value) != true || Encoding.UTF8.GetString((byte[])value!) != batch)
                {
                    return;
                }

                await turn.WaitAsync();
                try
                {
                    if (publishing is null)
                    {
                        publishing = await RawLot.OpenForManyAsync(await BrokerFixture.ConnectAsync(broker), tracking: false);
                        publishing.BasicAcksAsync += async (_, confirm) =>
                        {
                            for (var number = confirm.Multiple ? oldest : confirm.DeliveryTag; number <= confirm.DeliveryTag; number++)
                            {
                                oldest = confirm.Multiple ? number + 1 : oldest;
                                if (waiting.TryRemove(number, out var message))
                                {
                                    await message.Channel.BasicAckAsync(message.Tag, multiple: false);
                                    if (Interlocked.Increment(ref moved) == count)
                                    {
                                        end.SetResult();
                                    }
                                }
                            }
                        };
                    }

                    waiting[++next] = (consumer.Channel, args.DeliveryTag);
                    await publishing.BasicPublishAsync(exchange, routingKey, mandatory: true, new BasicProperties(args.BasicProperties), args.Body);
                }
                finally
                {
                    turn.Release();
                }
            },
            end.Task);
    });

    private static async Task<TimeSpan> ConsumeAsync(
        Uri broker,
        string queue,
        ushort window,
        Func<long, (Func<AsyncEventingBasicConsumer, BasicDeliverEventArgs, Task> Received, Task End)> read)
    {
        var connection = await BrokerFixture.ConnectAsync(broker);
        await using var ends = connection;
        var first = await connection.CreateChannelAsync();
        var ready = await first.MessageCountAsync(queue);
        var (received, end) = read(ready);
        var channels = new List<IChannel>();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i <= ready / window; i++)
        {
            var channel = i == 0 ? first : await connection.CreateChannelAsync();
            channels.Add(channel);
            await channel.BasicQosAsync(0, window, global: false);
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += (_, args) => received(consumer, args);
            await channel.BasicConsumeAsync(queue, autoAck: false, consumer);
        }

        await end.WaitAsync(Deadline);
        var took = clock.Elapsed;
        foreach (var channel in channels)
        {
            // its answer comes after the last acknowledgement
            await channel.MessageCountAsync(queue);
        }

        return took;
    }
}
