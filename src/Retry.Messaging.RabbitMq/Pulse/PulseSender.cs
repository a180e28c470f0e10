using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>Sends a pulse each second in which something happened, and every five seconds otherwise. Nobody waits for it.</summary>
/// <remarks>It is a message in memory without a confirm. Where nobody listens the broker drops it.</remarks>
internal sealed class PulseSender(PulseSource source, TimeProvider time) : IControlPart
{
    /// <summary>The shortest time between two pulses.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>The longest time between two pulses.</summary>
    public static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public string Name => "the pulse";

    /// <inheritdoc/>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await PulseExchange.OpenAsync(connection, cancellationToken).ConfigureAwait(false);
        await using var ends = channel.ConfigureAwait(false);
        using var alarm = new BrokerAlarm(connection);
        using var timer = new PeriodicTimer(Interval, time);
        var (sentAt, activity) = (time.GetTimestamp(), -1L);
        do
        {
            var isDue = source.Activity is var now && now != activity || time.GetElapsedTime(sentAt) >= LongestInterval;
            if (isDue && alarm.Reason is null)
            {
                (sentAt, activity) = (time.GetTimestamp(), now);
                await SendAsync(channel, cancellationToken).ConfigureAwait(false);
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public Task EndAsync(IConnection connection, CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task SendAsync(IChannel channel, CancellationToken cancellationToken)
    {
        var pulse = source.Next();
        var properties = new BasicProperties
        {
            ContentType = "application/json",
            Type = BrokerNames.PulseExchange,
            MessageId = pulse.Node,
            DeliveryMode = DeliveryModes.Transient,
        };
        await channel.BasicPublishAsync(
            BrokerNames.PulseExchange,
            string.Empty,
            mandatory: false,
            properties,
            pulse.Write(),
            cancellationToken).ConfigureAwait(false);
    }
}
