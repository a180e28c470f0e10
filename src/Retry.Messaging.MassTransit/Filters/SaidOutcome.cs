namespace Retry.Messaging.MassTransit.Filters;

/// <summary>What a consumer says of its attempt, instead of throwing.</summary>
internal abstract record SaidOutcome
{
    private SaidOutcome()
    {
    }

    /// <summary>It failed for good.</summary>
    public sealed record Fail(string Reason) : SaidOutcome;

    /// <summary>It failed, and is to be tried again: after this time, or as the policy says.</summary>
    public sealed record Error(string Reason, TimeSpan? RetryAfter) : SaidOutcome;

    /// <summary>Nothing failed. It is too early, and no attempt is used.</summary>
    public sealed record Postpone(TimeSpan Delay) : SaidOutcome;

    /// <summary>Nothing failed. It is an attempt, and there shall be another one (MassTransit's own call).</summary>
    public sealed record Redeliver(TimeSpan Delay) : SaidOutcome;
}
