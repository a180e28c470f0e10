namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>How far a recurrence has come: a whole document of the control log, written by whoever sends its messages.</summary>
internal sealed record RecurrenceProgress
{
    /// <summary>It has not begun.</summary>
    public static readonly RecurrenceProgress None = new();

    /// <summary>Gets the slot up to which all is decided.</summary>
    public DateTimeOffset? UpTo { get; init; }

    /// <summary>Gets how many of the messages that were asked for out of turn have been sent.</summary>
    public long Answered { get; init; }

    /// <summary>Gets when something was sent last.</summary>
    public DateTimeOffset? SentAt { get; init; }
}
