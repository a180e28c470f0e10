namespace Retry.Messaging.Benchmarks.Service;

/// <summary>What a handler throws that knows when to try again.</summary>
/// <param name="delay">After how long.</param>
internal sealed class ParcelDelayedException(TimeSpan delay) : Exception("The gateway asked for a pause.")
{
    public TimeSpan Delay => delay;
}
