namespace Retry.Messaging.RabbitMq;

/// <summary>Wakes a loop when something has happened; how often it happened does not matter.</summary>
internal sealed class WakeUp(TimeProvider time)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _something = Nothing();

    /// <summary>Says that something has happened.</summary>
    public void Set()
    {
        lock (_lock)
        {
            _something.TrySetResult();
        }
    }

    /// <summary>Waits until something happens, or has happened since the last wait. One at a time.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        await _something.Task.WaitAsync(atMost, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            // the look that follows takes in everything that has happened
            _something = Nothing();
        }
    }

    private static TaskCompletionSource Nothing() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
