using RabbitMQ.Client;
using Retry.Messaging.Naming;

namespace Retry.Messaging.Operations.Carrying;

/// <summary>Shows that a service is there which carries out plans: a consumer of a queue to which nothing is sent.</summary>
internal static class CarrierSign
{
    /// <summary>Shows it on a channel, until that is closed.</summary>
    public static async Task ShowAsync(IChannel channel, CancellationToken cancellationToken)
    {
        // durable, since 4.3 refuses what is neither that nor exclusive; it goes with its last consumer
        await channel.QueueDeclareAsync(
            BrokerNames.PlanCarriers,
            durable: true,
            exclusive: false,
            autoDelete: true,
            cancellationToken: cancellationToken).ConfigureAwait(false);
        await channel.BasicConsumeAsync(BrokerNames.PlanCarriers, autoAck: true, new AsyncDefaultBasicConsumer(channel), cancellationToken).ConfigureAwait(false);
    }
}
