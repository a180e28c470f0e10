namespace Retry.Messaging.RabbitMq.Holding;

/// <summary>Asks the broker for the time that a consumer of ours needs. RabbitMQ 4.3 listens, for quorum queues; older ones take no notice.</summary>
/// <remarks>
/// Only for queues of ours. A work queue's timeout is what its operator set, and a consumer that hangs must not outlast it. On 4.3 it
/// is the only way to know: there the broker does not say what timeout it used, and a release queue all of whose consumers have
/// met it once gives nothing more until they have reconnected.
/// </remarks>
internal static class ConsumerPatience
{
    /// <summary>The argument of a consumer.</summary>
    public const string Argument = "x-consumer-timeout";

    private static readonly TimeSpan Reserve = TimeSpan.FromMinutes(10);

    /// <summary>The arguments of a consumer that holds deliveries for that time at most.</summary>
    public static Dictionary<string, object?> For(TimeSpan longest) => new() { [Argument] = (long)longest.TotalMilliseconds };

    /// <summary>The arguments of a consumer that gives back in time.</summary>
    public static Dictionary<string, object?> Asked(HoldTime hold) => For(hold.ConsumerTimeout ?? HoldTime.Unknown + Reserve);
}
