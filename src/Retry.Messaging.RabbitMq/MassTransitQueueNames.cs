namespace Retry.Messaging.RabbitMq;

/// <summary>How MassTransit calls the queues of what failed, or what nobody took.</summary>
internal static class MassTransitQueueNames
{
    /// <summary>What it appends to the name of the queue that the message came from.</summary>
    public static readonly IReadOnlyList<string> Suffixes = ["_error", "_skipped"];

    /// <summary>Whether a queue is called so.</summary>
    public static bool IsOfFailed(string queue) => Suffixes.Any(suffix => queue.EndsWith(suffix, StringComparison.Ordinal));
}
