using Retry.Messaging.Recurring;

namespace Retry.Messaging.MassTransit;

/// <summary>How a message recurs that <c>AddRecurring</c> adds.</summary>
public sealed class RecurringOptions
{
    internal RecurringOptions()
    {
    }

    /// <summary>Gets or sets where the message is sent, for example <c>queue:reports</c>.</summary>
    /// <value>The default is <see langword="null"/>: it is published.</value>
    public Uri? Destination { get; set; }

    /// <summary>Gets or sets the time zone that the cron expression is in, as IANA names it: <c>Europe/Berlin</c>.</summary>
    /// <value>The default is UTC.</value>
    public string TimeZone { get; set; } = "UTC";

    /// <summary>Gets or sets what becomes of slots that nobody could send at their time, because no scheduler ran.</summary>
    /// <value>The default is <see cref="MissedSlots.Once"/>.</value>
    public MissedSlots Missed { get; set; } = MissedSlots.Once;

    /// <summary>Gets or sets the moment before which the message does not recur.</summary>
    /// <value>The default is <see langword="null"/>: at once.</value>
    public DateTimeOffset? First { get; set; }

    /// <summary>Gets or sets the moment after which it recurs no more.</summary>
    /// <value>The default is <see langword="null"/>: for ever.</value>
    public DateTimeOffset? Last { get; set; }

    /// <summary>Gets or sets the group that its id belongs to.</summary>
    /// <value>The default is none. Its name, on the broker and for <c>retryctl schedule</c>, is the id, or group, slash and id.</value>
    public string Group { get; set; } = string.Empty;

    /// <summary>Gets or sets what it is for; <c>retryctl schedule show</c> says so.</summary>
    /// <value>The default is none.</value>
    public string? Description { get; set; }
}
