using Payments.Shop;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;

namespace Payments.Audit;

/// <summary>Takes one message off the ladder behind everybody's back, to show that the auditor would notice.</summary>
internal static class Saboteur
{
    public const string Drop = "drop";

    private const ushort MostHeld = 10;

    // every payment that needs a second retry is likely to pass it
    private static readonly string Rung = BrokerNames.Rung(DelayLadder.Levels.Single(level => level.Name == "s"), 1);

    public static async Task DropOneAsync(Uri broker, CancellationToken cancellationToken)
    {
        await using var queues = await QueueReader.ConnectAsync(broker, "payments saboteur", cancellationToken);
        await queues.WaitForAsync(Rung, cancellationToken);
        await using var channel = await queues.Connection.CreateChannelAsync(cancellationToken: cancellationToken);

        // what else comes is held for a moment, and goes back with the channel: exactly one message is taken
        await channel.BasicQosAsync(0, MostHeld, global: false, cancellationToken);
        var taken = new TaskCompletionSource<(ulong Tag, string PaymentId)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            if (ChargeBody.Reference(delivery.Body) is var reference && !ChargeProducer.IsAskedForTwice(reference))
            {
                taken.TrySetResult((delivery.DeliveryTag, reference));
            }

            return Task.CompletedTask;
        };
        var consumerTag = await channel.BasicConsumeAsync(Rung, autoAck: false, consumer, cancellationToken);
        var (tag, paymentId) = await taken.Task.WaitAsync(cancellationToken);
        await channel.BasicCancelAsync(consumerTag, cancellationToken: cancellationToken);
        await channel.BasicAckAsync(tag, multiple: false, cancellationToken);
        Console.WriteLine($"Sabotage: took {paymentId} out of {Rung} and threw it away.");
    }
}
