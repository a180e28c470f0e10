using System.Runtime.InteropServices;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Waits that end within about a millisecond.</summary>
/// <remarks>
/// Timers of the runtime end one to two milliseconds late, and later still on a busy thread pool: too late for a message
/// every millisecond. One thread for all limiters of the process sleeps, by the system call, while somebody waits for
/// something near, and is parked otherwise. The waiter goes on on that thread, up to its next wait: one wake-up less.
/// </remarks>
internal static class FineDelay
{
    private static readonly TimeSpan Near = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan ShortestSleep = TimeSpan.FromMicroseconds(100);
    private static readonly PriorityQueue<TaskCompletionSource, long> Waiting = new();
    private static bool _running;

    /// <summary>Waits.</summary>
    public static async Task WaitAsync(TimeSpan delay, TimeProvider time, CancellationToken cancellationToken)
    {
        if (time != TimeProvider.System)
        {
            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
            return;
        }

        var due = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);
        if (delay > Near)
        {
            await Task.Delay(delay - Early, time, cancellationToken).ConfigureAwait(false);
        }

        await UntilAsync(due).ConfigureAwait(false);
    }

    private static Task UntilAsync(long due)
    {
        var waiter = new TaskCompletionSource();
        lock (Waiting)
        {
            Waiting.Enqueue(waiter, due);
            if (!_running)
            {
                _running = true;
                new Thread(Run) { IsBackground = true, Name = "retry limiter clock" }.Start();
            }
            else if (Waiting.Count == 1)
            {
                Monitor.Pulse(Waiting);
            }
        }

        return waiter.Task;
    }

    private static void Run()
    {
        while (true)
        {
            TaskCompletionSource? next = null;
            var wait = Step;
            lock (Waiting)
            {
                while (Waiting.Count == 0)
                {
                    Monitor.Wait(Waiting);
                }

                Waiting.TryPeek(out var waiter, out var due);
                var left = TimeProvider.System.GetElapsedTime(TimeProvider.System.GetTimestamp(), due);
                if (left <= TimeSpan.Zero)
                {
                    Waiting.Dequeue();
                    next = waiter;
                }
                else if (left < Step)
                {
                    wait = left;
                }
            }

            if (next is not null)
            {
                next.TrySetResult();
            }
            else
            {
                Sleep(wait);
            }
        }
    }

    // the runtime sleeps for whole milliseconds only: half a message too late, on average, at 1,000 per second
    private static void Sleep(TimeSpan time)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            _ = SleepMicroseconds((uint)Math.Max(time.TotalMicroseconds, ShortestSleep.TotalMicroseconds));
        }
        else
        {
            lock (Waiting)
            {
                Monitor.Wait(Waiting, Step);
            }
        }
    }

#pragma warning disable SYSLIB1054 // source generation would want unsafe code in the whole project, for one number
    [DllImport("libc", EntryPoint = "usleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SleepMicroseconds(uint microseconds);
#pragma warning restore SYSLIB1054
}
