namespace Retry.Messaging.RabbitMq.Health;

/// <summary>One outcome on its way to the broker.</summary>
internal sealed class HeldOutcome(HeldOutcomes all, long since) : IDisposable
{
    /// <summary>The timestamp of its first publish.</summary>
    public long Since => since;

    /// <summary>Why it is held; <see langword="null"/> while it is not.</summary>
    public string? Reason { get; private set; }

    /// <summary>Notes that the broker did not confirm it.</summary>
    /// <returns>Whether it is held from now on, and was not before.</returns>
    public bool Because(string reason)
    {
        var isNew = Reason is null;
        Reason = reason;
        if (isNew)
        {
            all.Add(this);
        }

        return isNew;
    }

    public void Dispose()
    {
        if (Reason is not null)
        {
            all.Remove(this);
        }
    }
}
