using System.Diagnostics;

namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>Does something a number of times a second, a few at once each millisecond.</summary>
internal static class Pace
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    public static async Task RunAsync(int perSecond, int count, Func<int, ValueTask> step, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Tick);
        var started = Stopwatch.GetTimestamp();
        for (var done = 0; done < count;)
        {
            var due = Math.Min(count, 1 + (int)(Stopwatch.GetElapsedTime(started).TotalSeconds * perSecond));
            for (; done < due; done++)
            {
                await step(done);
            }

            if (done < count)
            {
                await timer.WaitForNextTickAsync(cancellationToken);
            }
        }
    }
}
