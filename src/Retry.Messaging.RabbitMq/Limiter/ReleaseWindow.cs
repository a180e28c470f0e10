using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>How many releases may be unconfirmed at once: those are also the ones that may come twice when the process is killed.</summary>
internal static class ReleaseWindow
{
    private const int Budgeted = 32;
    private const int Smallest = 4;
    private const int Largest = 1000;
    private const int SmallestAhead = 32;
    private const double Seconds = 0.1;

    /// <summary>A tenth of a second of the cap, 4 to 1,000; with a budget alone 32, so that what waits for it is seen in the queue.</summary>
    public static int Of(RedeliveryLimit? limit, RetryBudget? budget = null) =>
        limit is not null ? (int)Math.Clamp(Seconds * limit.PerSecond, Smallest, Largest)
        : budget is null ? Largest : Budgeted;

    /// <summary>Whether consuming must start anew, because how much is taken in advance is fixed when it starts.</summary>
    public static bool IsOther(int window, int current) => window > 2 * current || 2 * window < current;

    /// <summary>How many messages are taken from the release queue in advance.</summary>
    public static ushort Prefetch(int window) => (ushort)(window + Math.Max(window, SmallestAhead));
}
