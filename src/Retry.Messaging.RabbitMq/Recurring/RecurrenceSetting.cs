namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>What an operator, or a service, said about a recurrence: a whole document of the control log. It outlives changes of the code.</summary>
internal sealed record RecurrenceSetting
{
    /// <summary>Nothing was said.</summary>
    public static readonly RecurrenceSetting None = new();

    /// <summary>Gets a value indicating whether nothing is sent.</summary>
    public bool Paused { get; init; }

    /// <summary>Gets when the last pause ended; the slots in a pause are not missed, and are never sent.</summary>
    public DateTimeOffset? ResumedAt { get; init; }

    /// <summary>Gets how many messages out of turn have been asked for, ever.</summary>
    public long Requested { get; init; }
}
