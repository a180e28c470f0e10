
namespace Retry.Messaging.Policies;

/// <summary>Delays that a function of the caller gives.</summary>
/// <remarks>
/// A result below zero counts as zero, one above <see cref="DelaySchedule.LongestDelay"/> as that. When the function throws,
/// the message gets the delay that the default policy has at that retry: the fault of a formula must not cost a message.
/// </remarks>
internal sealed class CustomDelays : DelaySchedule
{
    private readonly Func<int, TimeSpan> _delayBefore;

    /// <summary>Makes a schedule from a function.</summary>
    /// <param name="delayBefore">The delay before a retry, from its number (1 is the first). It has to be pure and safe to call from several threads.</param>
    /// <exception cref="ArgumentNullException"><paramref name="delayBefore"/> is null.</exception>
    public CustomDelays(Func<int, TimeSpan> delayBefore)
    {
        ArgumentNullException.ThrowIfNull(delayBefore);
        _delayBefore = delayBefore;
    }

    /// <summary>Gets null: the longest result of a function is not known.</summary>
    public override TimeSpan? Cap => null;

    /// <inheritdoc />
    public override TimeSpan? DelayBefore(int retry)
    {
        RequireRetry(retry);
        TimeSpan delay;
        try
        {
            delay = _delayBefore(retry);
        }
#pragma warning disable CA1031 // any exception: this runs while a failed message is held, and must end in a delay
        catch (Exception)
#pragma warning restore CA1031
        {
            return RetryDefaults.Schedule.DelayBefore(retry);
        }

        return delay < TimeSpan.Zero ? TimeSpan.Zero
            : delay > LongestDelay ? LongestDelay
            : delay;
    }

    /// <inheritdoc />
    public override string ToString() => "Custom";
}
