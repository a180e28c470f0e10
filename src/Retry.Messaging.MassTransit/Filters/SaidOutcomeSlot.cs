namespace Retry.Messaging.MassTransit.Filters;

/// <summary>What the consumer of an attempt said of it, until the attempt has ended.</summary>
internal sealed class SaidOutcomeSlot
{
    private static readonly object Closed = new();
    private object? _said;

    /// <summary>What was said last.</summary>
    public SaidOutcome? Said => Volatile.Read(ref _said) as SaidOutcome;

    /// <summary>Notes an outcome, or that there is none; the last one counts.</summary>
    /// <returns>Whether the attempt has not ended yet.</returns>
    public bool TrySay(SaidOutcome? said)
    {
        object? seen;
        do
        {
            seen = Volatile.Read(ref _said);
            if (ReferenceEquals(seen, Closed))
            {
                return false;
            }
        }
        while (!ReferenceEquals(Interlocked.CompareExchange(ref _said, said, seen), seen));

        return true;
    }

    /// <summary>Ends the saying.</summary>
    /// <returns>What was said last, or <see langword="null"/>.</returns>
    public SaidOutcome? Close() => Interlocked.Exchange(ref _said, Closed) as SaidOutcome;
}
