using System.Runtime.InteropServices;

namespace Retry.Messaging.RabbitMq.Limiter.Pacing;

/// <summary>Waits that end within about a millisecond.</summary>
/// <remarks>
/// Timers of the runtime end one to two milliseconds late, and later still on a busy thread pool: too late for a message
/// every millisecond. One thread for all limiters of the process sleeps, by the system call, while somebody waits for
/// something near, and is parked otherwise. The waiter goes on on that thread, up to its next wait: one wake-up less.
/// </remarks>
internal static class FineDelay
{
    /// <summary>The longest wait that is worth it: the thread looks every millisecond while somebody waits.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);
    private static readonly PriorityQueue<TaskCompletionSource, long> Waiting = new();
    private static bool _running;

    /// <summary>What is slept on the spot, at most: long enough to be handed over in.</summary>
    public static readonly TimeSpan Last = TimeSpan.FromMilliseconds(1.5);

    /// <summary>Waits.</summary>
    public static Task WaitAsync(TimeSpan delay, TimeProvider time, CancellationToken cancellationToken) => time == TimeProvider.System
        ? UntilAsync(time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency))
        // the runtime takes whole milliseconds, and none would be no wait at all
        : Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(delay.TotalMilliseconds)), time, cancellationToken);

    /// <summary>Blocks the calling thread until an instant, for as short as a message's last moments; never on a clock of tests.</summary>
    public static void Sleep(long until, TimeProvider time)
    {
        while (time == TimeProvider.System && time.GetElapsedTime(time.GetTimestamp(), until) is var left && left > TimeSpan.Zero)
        {
            Sleep(left);
        }
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
            _ = SleepMicroseconds((uint)Math.Max(time.TotalMicroseconds, 1));
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
