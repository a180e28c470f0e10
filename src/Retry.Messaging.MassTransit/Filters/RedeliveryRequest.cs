namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Whether the consumer of an attempt asked for another one, until the attempt has ended.</summary>
internal sealed class RedeliveryRequest
{
    private static readonly object Closed = new();
    private object? _asked;

    /// <summary>Notes a delay; the last one counts.</summary>
    /// <returns>Whether the attempt has not ended yet.</returns>
    public bool TryAsk(TimeSpan delay)
    {
        object? seen;
        object asked = delay;
        do
        {
            seen = Volatile.Read(ref _asked);
            if (ReferenceEquals(seen, Closed))
            {
                return false;
            }
        }
        while (!ReferenceEquals(Interlocked.CompareExchange(ref _asked, asked, seen), seen));

        return true;
    }

    /// <summary>Ends the asking.</summary>
    /// <returns>The delay that was asked for, or <see langword="null"/>.</returns>
    public TimeSpan? Close() => Interlocked.Exchange(ref _asked, Closed) as TimeSpan?;
}
