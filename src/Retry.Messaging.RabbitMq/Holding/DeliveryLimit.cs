namespace Retry.Messaging.RabbitMq.Holding;

/// <summary>How often a message may go back to its queue before the broker drops it. Pure.</summary>
/// <remarks>
/// Quorum queues count. Without a limit of their own they have none before RabbitMQ 4.0, and 20 from then on; what has no
/// dead-letter exchange is deleted there. Since 4.3 what a consumer gives back is not counted (measured).
/// </remarks>
internal static class DeliveryLimit
{
    /// <summary>The limit of a quorum queue on RabbitMQ 4 that names none.</summary>
    public const int Default = 20;

    /// <summary>Returns that are left for restarts and crashes.</summary>
    public const int Reserve = 5;

    private static readonly Version SinceFour = new(4, 0);
    private static readonly Version GivingBackIsFree = new(4, 3);

    /// <summary>The limit that giving back counts towards; <see langword="null"/> where there is none.</summary>
    /// <param name="broker">The broker's version.</param>
    /// <param name="known">The queue's own limit, by argument or policy; negative for none; <see langword="null"/> where it is not known.</param>
    public static long? Of(Version broker, long? known) => IsGivingBackFree(broker) ? null : OfCuts(broker, known);

    /// <summary>The limit that a channel which closes with deliveries counts towards, on every version; <see langword="null"/> where there is none.</summary>
    /// <param name="broker">The broker's version.</param>
    /// <param name="known">The queue's own limit, as above.</param>
    public static long? OfCuts(Version broker, long? known) =>
        known is null ? broker >= SinceFour ? Default : null
        : known < 0 ? null
        : known;

    /// <summary>Whether what a consumer gives back by a nack is not counted.</summary>
    public static bool IsGivingBackFree(Version broker) => broker >= GivingBackIsFree;

    /// <summary>Whether a message is so near to the limit that it must not go back.</summary>
    /// <param name="limit">The limit, or <see langword="null"/>.</param>
    /// <param name="returns">How often it was returned.</param>
    public static bool IsNear(long? limit, int returns) => limit is { } most && returns + Math.Min(Reserve, most / 2) >= most;
}
