namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Waits that end within about a millisecond.</summary>
/// <remarks>
/// Timers of the runtime end one to two milliseconds late, and later still on a busy thread pool: too late for a message
/// every millisecond. One thread for all limiters of the process sleeps in steps of a millisecond while somebody waits for
/// something near, and is parked otherwise. The waiter goes on on that thread, up to its next wait: one wake-up less.
/// </remarks>
internal static class FineDelay
{
    private static readonly TimeSpan Near = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(5);
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
            lock (Waiting)
            {
                while (Waiting.Count == 0)
                {
                    Monitor.Wait(Waiting);
                }

                if (Waiting.TryPeek(out var waiter, out var due) && due <= TimeProvider.System.GetTimestamp())
                {
                    Waiting.Dequeue();
                    next = waiter;
                }
            }

            if (next is not null)
            {
                next.TrySetResult();
            }
            else
            {
                Thread.Sleep(1);
            }
        }
    }
}
