namespace Retry.Messaging.Operations.Schedules;

/// <summary>What is asked about scheduled messages.</summary>
internal sealed record ScheduleRequest
{
    /// <summary>Gets how many scheduled messages are listed at most, the next first; counts are of all.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>Gets the exchange (of a queue: its name) that messages must go to; <see langword="null"/> for any.</summary>
    public string? To { get; init; }

    /// <summary>Gets the token or message id of the one that is asked for; <see langword="null"/> for all.</summary>
    public string? Id { get; init; }
}
