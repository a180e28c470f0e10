namespace Retry.Messaging.Operations.Schedules;

/// <summary>What is scheduled in a virtual host.</summary>
/// <param name="At">When it was read.</param>
/// <param name="Recurrences">What recurs, by name.</param>
/// <param name="IsIndexed">Whether there is an index: without one, what is scheduled once is not known.</param>
/// <param name="Waiting">How many scheduled messages wait, as far as the index knows.</param>
/// <param name="Cancelled">How many more were to come and have been cancelled.</param>
/// <param name="Next">The next of them, by time.</param>
/// <param name="ByHour">How many are due in each hour, the beginning of which stands for it.</param>
internal sealed record ScheduleOverview(
    DateTimeOffset At,
    IReadOnlyList<RecurrenceSummary> Recurrences,
    bool IsIndexed,
    long Waiting,
    long Cancelled,
    IReadOnlyList<ScheduledMessage> Next,
    IReadOnlyDictionary<DateTimeOffset, long> ByHour);
