namespace Retry.Messaging.Wire;

/// <summary>What a scheduled message carries of its schedule while it waits.</summary>
internal sealed record ScheduleState
{
    /// <summary>When it is due, in whole milliseconds, rounded up: never before the moment that was asked for.</summary>
    public required DateTimeOffset DueAt { get; init => field = UpToMilliseconds(value); }

    /// <summary>When it leaves the ladder this time; <see langword="null"/> where that is when it is due.</summary>
    /// <remarks>What waits for longer than the ladder is long climbs again: by this it is told from what something has cut short.</remarks>
    public DateTimeOffset? LeavesAt { get; init; }

    /// <summary>Where it goes, and what was taken off it meanwhile.</summary>
    public required KeptProperties Kept { get; init; }

    /// <summary>How often it may have been dispatched already.</summary>
    public int Repeated { get; init; }

    /// <summary>By what it can be cancelled; <see langword="null"/> where nobody was told.</summary>
    public Guid? Token { get; init; }

    /// <summary>When it was scheduled; only where the token is a caller's own, which may be used again.</summary>
    public DateTimeOffset? AskedAt { get; init; }

    private static DateTimeOffset UpToMilliseconds(DateTimeOffset time) =>
        time.Ticks % TimeSpan.TicksPerMillisecond is > 0 and var rest && rest <= DateTimeOffset.MaxValue.UtcTicks - time.UtcTicks
            ? time.AddTicks(TimeSpan.TicksPerMillisecond - rest)
            : time;
}
