using System.Diagnostics;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>Holds instants against a cap: in every window from 100 ms to 10 s at most cap x window + burst.</summary>
internal static class WindowBound
{
    private const double Shortest = 0.1;
    private const double Longest = 10;

    /// <summary>
    /// How long messages take at least under a cap, from before the first is released. A test that sees them arrive asks for this: where the
    /// test's own process is stopped for a moment they look bunched, and never early.
    /// </summary>
    public static TimeSpan Least(int count, double cap, int burst = 1) => TimeSpan.FromSeconds((count - burst - 1) / cap);

    /// <summary>By how many messages the worst window exceeds the bound; zero or less when it holds in every window.</summary>
    public static double WorstExcess(IReadOnlyList<long> timestamps, double cap, int burst)
    {
        var at = timestamps.Order().Select(t => (double)t / Stopwatch.Frequency).ToArray();
        var worst = double.NegativeInfinity;
        var first = 0;
        // the smallest index - cap x time of those that are 100 ms to 10 s back
        var candidates = new LinkedList<int>();
        var next = 0;
        for (var last = 0; last < at.Length; last++)
        {
            while (at[last] - at[first] > Shortest)
            {
                first++;
            }

            worst = Math.Max(worst, last - first + 1 - ((cap * Shortest) + burst));
            for (; next < last && at[last] - at[next] >= Shortest; next++)
            {
                while (candidates.Last is { } node && node.Value - (cap * at[node.Value]) >= next - (cap * at[next]))
                {
                    candidates.RemoveLast();
                }

                candidates.AddLast(next);
            }

            while (candidates.First is { } old && at[last] - at[old.Value] > Longest)
            {
                candidates.RemoveFirst();
            }

            if (candidates.First is { } start)
            {
                worst = Math.Max(worst, last - start.Value + 1 - ((cap * (at[last] - at[start.Value])) + burst));
            }
        }

        return worst;
    }

    /// <summary>Events per second from the first to the last.</summary>
    public static double Mean(IReadOnlyList<long> timestamps) =>
        (timestamps.Count - 1) / Stopwatch.GetElapsedTime(timestamps.Min(), timestamps.Max()).TotalSeconds;

    /// <summary>The most events in any window of a length.</summary>
    public static int Most(IReadOnlyList<long> timestamps, TimeSpan window)
    {
        var at = timestamps.Order().ToArray();
        var length = (long)(window.TotalSeconds * Stopwatch.Frequency);
        var (first, most) = (0, 0);
        for (var last = 0; last < at.Length; last++)
        {
            while (at[last] - at[first] > length)
            {
                first++;
            }

            most = Math.Max(most, last - first + 1);
        }

        return most;
    }
}
