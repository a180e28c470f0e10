using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.Tests.Waiting;

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
    /// <returns>The message ids, how long it took until the last one had come, and until all were ready again.</returns>
    public static async Task<(HashSet<string> Ids, TimeSpan Read, TimeSpan GivenBack)> ReadAsync(Uri broker, string queue)
    {
        var ids = new ConcurrentQueue<string>();
        var (read, givenBack) = await ConsumeAsync(broker, queue, ReadingWindow, givesBack: true, ready =>
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
        return ([.. ids], read, givenBack);
    }

    /// <summary>Moves the messages of a batch to a queue, each acknowledged after its confirm, and gives back the others.</summary>
    public static Task MoveAsync(Uri broker, string queue, string batch, int count, string exchange, string routingKey) => ConsumeAsync(broker, queue, TakingWindow, givesBack: false, _ =>
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

    private static async Task<(TimeSpan Read, TimeSpan GivenBack)> ConsumeAsync(
        Uri broker,
        string queue,
        ushort window,
        bool givesBack,
        Func<long, (Func<AsyncEventingBasicConsumer, BasicDeliverEventArgs, Task> Received, Task End)> handle)
    {
        var connection = await BrokerFixture.ConnectAsync(broker);
        await using var ends = connection;
        var first = await connection.CreateChannelAsync();
        var ready = await first.MessageCountAsync(queue);
        var (received, end) = handle(ready);
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
        var read = clock.Elapsed;
        foreach (var channel in channels)
        {
            // its answer comes after the last acknowledgement
            await channel.MessageCountAsync(queue);
        }

        await using var look = await connection.CreateChannelAsync();
        foreach (var channel in givesBack ? channels : [])
        {
            await channel.CloseAsync();
        }

        await Eventually.TrueAsync(
            async () => !givesBack || await look.MessageCountAsync(queue) >= ready,
            Deadline,
            every: TimeSpan.FromMilliseconds(20));
        return (read, clock.Elapsed);
    }
}
