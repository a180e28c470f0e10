namespace Retry.Messaging.Policies;

/// <summary>No delay: the message goes straight back to its queue, behind those that wait there.</summary>
internal sealed class ImmediateRetry : DelaySchedule
{
    /// <inheritdoc />
    public override TimeSpan? Cap => TimeSpan.Zero;

    /// <inheritdoc />
    public override TimeSpan? DelayBefore(int retry)
    {
        RequireRetry(retry);
        return TimeSpan.Zero;
    }

    /// <inheritdoc />
    public override string ToString() => "Immediate";
}
