using Retry.Messaging.Outcomes;

namespace Retry.Messaging.Wire;

/// <summary>What a message knows about its own retries.</summary>
public sealed record RetryState
{
    // in UTF-16 characters, on reading and on writing
    internal const int MaxId = 128;
    internal const int MaxError = 300;
    internal const int MaxPlan = 128;

    // by so much clocks may differ
    private static readonly TimeSpan SameMoment = TimeSpan.FromSeconds(1);

    /// <summary>The state of a message that never failed.</summary>
    public static readonly RetryState Fresh = new();

    /// <summary>The id of the chain; <see langword="null"/> before the first failure.</summary>
    public string? Id { get; init; }

    /// <summary>The number of the attempt that this delivery is, from 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>When the first attempt failed.</summary>
    public DateTimeOffset? FirstFailedAt { get; init; }

    /// <summary>When this attempt was due, in whole milliseconds, as its header has it.</summary>
    /// <remarks>Rounded up: cut off, it was up to 1 ms before the end of the delay, and on the in-memory transport a message ran that much too early.</remarks>
    public DateTimeOffset? DueAt { get; init => field = value is { } due
        && due.Ticks % TimeSpan.TicksPerMillisecond is > 0 and var rest ? due.AddTicks(TimeSpan.TicksPerMillisecond - rest) : value; }

    /// <summary>When it comes by before it is due, so that an operator can release it; <see langword="null"/> where it comes when it is due.</summary>
    public DateTimeOffset? ComesByAt { get; init; }

    /// <summary>When the message stops being worth a retry, as computed at the last failure.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>Type and message of the last error.</summary>
    public string? Error { get; init; }

    /// <summary>The types of the last error and of every exception inside it, outermost first, separated by comma and space;
    /// <see langword="null"/> where nothing is inside.</summary>
    /// <remarks>Written when the message is parked; a message that climbs does not carry it.</remarks>
    public string? ErrorTypes { get; init; }

    /// <summary>The attempts so far.</summary>
    public RetryHistory History { get; init; } = RetryHistory.Empty;

    /// <summary>Why the message was parked, when it was.</summary>
    public ParkReason? Reason { get; init; }

    /// <summary>Deliveries that a process did not survive.</summary>
    public int Crashes { get; init; }

    /// <summary>Runs that tried a target which was ill, and used no attempt.</summary>
    public int Probes { get; init; }

    /// <summary>How often the message was replayed.</summary>
    public int Replayed { get; init; }

    /// <summary>The plan that replayed it last.</summary>
    public string? Plan { get; init; }

    /// <summary>What was taken off the message.</summary>
    public KeptProperties Kept { get; init; } = KeptProperties.None;

    /// <summary>The attempts whose outcome was recorded; a number that made no sense was read as the largest one.</summary>
    internal int RecordedAttempts => Attempt == int.MaxValue ? History.Attempts.Count : Attempt - 1;

    /// <summary>The delay that preceded this attempt, by the clock of the process that chose it.</summary>
    public TimeSpan? PreviousDelay =>
        DueAt is { } due && History.Latest is { } last && due >= last.FailedAt ? due - last.FailedAt : null;

    /// <summary>How long before its due time this delivery came, or zero.</summary>
    /// <remarks>
    /// A message can only be early by less than the delay it was given. What looks longer is the difference between two
    /// clocks, and changes nothing: the broker counted the delay.
    /// </remarks>
    /// <param name="now">The current time.</param>
    public TimeSpan EarlyBy(DateTimeOffset now)
    {
        if (DueAt is not { } due || due <= now)
        {
            return TimeSpan.Zero;
        }

        // what was postponed and never failed has no history, but began with its first delay
        var early = due - now;
        return (PreviousDelay ?? due - FirstFailedAt) is { } delay && early <= delay ? early : TimeSpan.Zero;
    }

    /// <summary>Since when it waits: its last failure, or when it was postponed first.</summary>
    internal DateTimeOffset? WaitsSince => History.Latest?.FailedAt ?? FirstFailedAt;

    /// <summary>Whether this early delivery is one that was meant to come by. One that comes sooner than that was cut short.</summary>
    /// <param name="now">The current time.</param>
    internal bool IsVisit(DateTimeOffset now) => ComesByAt is { } at && now >= at - SameMoment && EarlyBy(now) > TimeSpan.Zero;

    /// <summary>The state with a number that may be shown: one beyond the last attempt, which nothing bears out, is that of the last attempt.</summary>
    /// <remarks>The last attempt of the policy that has most: for every other one it is the last as well, or later. What the history bears
    /// out stays, also after a policy was shortened.</remarks>
    /// <param name="mostRetries">The retries of that policy; <see langword="null"/> where one goes on until the message expires.</param>
    internal RetryState Bounded(int? mostRetries)
    {
        var last = mostRetries + 1L ?? (Attempt == int.MaxValue ? History.Attempts.Count + 1L : Attempt);
        return Attempt <= last || Attempt == (History.Latest?.Number ?? 0) + 1L ? this : this with { Attempt = (int)last };
    }
}
