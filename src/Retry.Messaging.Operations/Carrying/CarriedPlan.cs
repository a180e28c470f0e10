namespace Retry.Messaging.Operations.Carrying;

/// <summary>A plan that this process carries out, or has tried to.</summary>
internal sealed class CarriedPlan
{
    private readonly Lock _lock = new();
    private CancellationTokenSource? _stop;

    /// <summary>What is done at the moment.</summary>
    public Task Run { get; set; } = Task.CompletedTask;

    /// <summary>Before when it is not tried again.</summary>
    public DateTimeOffset NotBefore { get; set; }

    /// <summary>How long the last pause was.</summary>
    public TimeSpan Pause { get; set; }

    /// <summary>Whether somebody has asked for it while it was carried out.</summary>
    public bool IsGivenAway { get; private set; }

    /// <summary>Begins to carry it out.</summary>
    /// <returns>Ends it in good order.</returns>
    public CancellationTokenSource Begin(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            IsGivenAway = false;
            return _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        }
    }

    /// <summary>Stops it in good order, because somebody has asked for it.</summary>
    public void GiveAway()
    {
        lock (_lock)
        {
            if (_stop is { } stop)
            {
                IsGivenAway = true;
                stop.Cancel();
            }
        }
    }

    /// <summary>It is carried out no more.</summary>
    public void End()
    {
        lock (_lock)
        {
            _stop = null;
        }
    }
}
