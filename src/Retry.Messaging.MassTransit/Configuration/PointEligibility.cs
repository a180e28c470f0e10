using MassTransit;
using MassTransit.InMemoryTransport.Configuration;
using MassTransit.RabbitMqTransport;
using MassTransit.RabbitMqTransport.Configuration;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Which endpoints can be retry points.</summary>
internal static class PointEligibility
{
    /// <summary>The queue of an endpoint.</summary>
    public static string QueueOf(IReceiveEndpointConfigurator endpoint) =>
        endpoint switch
        {
            IRabbitMqReceiveEndpointConfiguration rabbit => rabbit.Settings.QueueName,
            IInMemoryReceiveEndpointConfiguration => endpoint.InputAddress.AbsolutePath.Trim('/'),
            _ => string.Empty, // refused in a moment
        };

    /// <summary>Tells why an endpoint cannot be a retry point; <see langword="null"/> when it can.</summary>
    public static string? WhyNot(ReceiveSettings settings)
    {
        var wanted = $"Queue '{settings.QueueName}' cannot be a retry point: wanted a durable queue that outlives its consumers, found ";
        if (!settings.Durable)
        {
            return wanted + "a transient one. Make it durable, or call DisableGradientRetry on it.";
        }

        if (settings.AutoDelete || settings.QueueExpiration is not null)
        {
            return wanted + "one that is deleted when nobody uses it. Make it permanent, or call DisableGradientRetry on it.";
        }

        if (settings.Exclusive)
        {
            return wanted + "an exclusive one. Call DisableGradientRetry on it.";
        }

        return settings.QueueArguments.TryGetValue(RabbitMQ.Client.Headers.XQueueType, out var type) && type is "stream"
            ? wanted + "a stream, which nothing can return to. Call DisableGradientRetry on it."
            : null;
    }

    /// <summary>Whether an endpoint's queue may be a quorum queue.</summary>
    /// <remarks>
    /// A queue declared without a type has its virtual host's. A classic one needs no help with its last acknowledgements, and refuses it
    /// where another instance consumes exclusively by now.
    /// </remarks>
    public static bool MayBeQuorum(ReceiveSettings settings) =>
        settings.QueueArguments.TryGetValue(RabbitMQ.Client.Headers.XQueueType, out var type) ? type is PolicyKeys.QuorumType : !settings.ExclusiveConsumer;
}
