namespace Retry.Messaging.RabbitMq;

/// <summary>Wakes a loop when something has happened; how often it happened does not matter.</summary>
internal sealed class WakeUp : IDisposable
{
    private readonly SemaphoreSlim _something = new(0);

    /// <summary>Says that something has happened.</summary>
    public void Set()
    {
        try
        {
            _something.Release();
        }
        catch (ObjectDisposedException)
        {
            // the session is over
        }
    }

    /// <summary>Waits until something happens, or has happened since the last wait.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        await _something.WaitAsync(atMost, cancellationToken).ConfigureAwait(false);
        // one look takes in everything that has happened
        while (_something.CurrentCount > 0 && _something.Wait(0, CancellationToken.None))
        {
        }
    }

    public void Dispose() => _something.Dispose();
}
