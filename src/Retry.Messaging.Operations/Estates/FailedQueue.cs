using System.Text;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Estates;

/// <summary>The queue that a message failed in, before it came to its error queue. Pure.</summary>
internal static class FailedQueue
{

    /// <summary>Takes MassTransit's word, else the error queue's name without its suffix, else the broker's word.</summary>
    /// <param name="errorQueue">The queue that the message lies in.</param>
    /// <param name="headers">The message's headers.</param>
    /// <param name="death">Where it died, if it did.</param>
    /// <returns>The queue, or <see langword="null"/> where nothing tells it.</returns>
    public static string? Of(string errorQueue, IDictionary<string, object?> headers, BrokerDeath? death) =>
        ((string?[])[FromAddress(RetryHeaderReader.Text(headers, MassTransitHeaderNames.InputAddress)), WithoutSuffix(errorQueue), death?.Queue])
            .FirstOrDefault(queue => IsUsable(queue, errorQueue));

    // rabbitmq://host/vhost/payments?temporary=true; an exchange or a topic of another transport has no queue here, and stays
    private static string? FromAddress(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) ? Uri.UnescapeDataString(uri.AbsolutePath[(uri.AbsolutePath.LastIndexOf('/') + 1)..]) : null;

    /// <summary>The name without MassTransit's suffix; <see langword="null"/> where it has none.</summary>
    public static string? WithoutSuffix(string errorQueue) =>
        MassTransitQueueNames.Suffixes.FirstOrDefault(suffix => errorQueue.EndsWith(suffix, StringComparison.Ordinal)) is { } suffix
            ? errorQueue[..^suffix.Length]
            : null;

    private static bool IsUsable(string? queue, string errorQueue) =>
        !string.IsNullOrEmpty(queue) && queue != errorQueue && Encoding.UTF8.GetByteCount(queue) <= BrokerNames.MaxQueueBytes;
}
