namespace Retry.Messaging.RabbitMq.Health;

/// <summary>The outcomes of a point that wait for the broker's confirm after the first try got none.</summary>
internal sealed class HeldOutcomes(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly HashSet<HeldOutcome> _held = [];
    private volatile TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private volatile TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completed once all observers of the endpoint have been told that it is ready, or that it stops.</summary>
    public Task Told => _ready.Task;

    /// <summary>Completed while the endpoint stops: what is held has no time for another try.</summary>
    public Task Stopping => _stopping.Task;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _held.Count;
            }
        }
    }

    /// <summary>How long the oldest has been unconfirmed, and why; <see langword="null"/> when none is held.</summary>
    public (TimeSpan Age, string Reason)? Oldest
    {
        get
        {
            lock (_lock)
            {
                return _held.MinBy(held => held.Since) is { } oldest ? (time.GetElapsedTime(oldest.Since), oldest.Reason!) : null;
            }
        }
    }

    /// <summary>An outcome is published for the first time; it is held from its first <see cref="HeldOutcome.Because"/> until it is disposed of.</summary>
    public HeldOutcome Begin() => new(this, time.GetTimestamp());

    /// <summary>The endpoint starts, perhaps again.</summary>
    public void Start()
    {
        if (Stopping.IsCompleted)
        {
            _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (Told.IsCompleted)
        {
            _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The endpoint is ready, and all its observers have been told.</summary>
    public void BeReady() => _ready.TrySetResult();

    /// <summary>The endpoint stops: held deliveries go back.</summary>
    public void Stop()
    {
        _stopping.TrySetResult();
        _ready.TrySetResult();
    }

    internal void Add(HeldOutcome held)
    {
        lock (_lock)
        {
            _held.Add(held);
        }
    }

    internal void Remove(HeldOutcome held)
    {
        lock (_lock)
        {
            _held.Remove(held);
        }
    }
}
