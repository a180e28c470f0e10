using Retry.Messaging.Operations.Schedules;

namespace Retry.Messaging.Cli.Commands.Schedule;

/// <summary>What recurs, as JSON shows it.</summary>
internal sealed record RecurrenceDocument(
    string Name,
    string? Cron,
    string TimeZone,
    DateTimeOffset? First,
    DateTimeOffset? Last,
    string? Missed,
    string? Description,
    string? Exchange,
    string? RoutingKey,
    int? Size,
    string DefinedBy,
    DateTimeOffset? DefinedAt,
    bool Paused,
    string? SetBy,
    DateTimeOffset? SetAt,
    DateTimeOffset? LastSlot,
    DateTimeOffset? LastSentAt,
    long OutOfTurn,
    DateTimeOffset? Next,
    IReadOnlyList<DateTimeOffset> NextSlots,
    string? Trouble)
{
    private const int Slots = 5;

    public static RecurrenceDocument Of(RecurrenceSummary summary, DateTimeOffset now)
    {
        var state = summary.State;
        return new(
            state.Name,
            state.Definition?.Cron,
            state.Definition?.TimeZone ?? "UTC",
            state.Definition?.First,
            state.Definition?.Last,
            state.Definition?.Missed.ToString(),
            state.Definition?.Description,
            state.Definition?.Message?.Kept.Exchange,
            state.Definition?.Message?.Kept.RoutingKey,
            state.Definition?.Message?.Body.Length,
            state.DefinedBy?.By ?? string.Empty,
            state.DefinedBy?.At,
            state.Setting.Paused,
            state.SetBy?.By,
            state.SetBy?.At,
            state.Progress.UpTo,
            state.Progress.SentAt,
            state.Setting.Requested,
            summary.Next,
            summary.NextSlots(Slots, now),
            state.WhyUnreadable);
    }
}
