using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Keeps messages from a plan that a cancelled one may have sent, and counts them.</summary>
/// <param name="book">Tells which; <see langword="null"/> for none.</param>
internal sealed class KeptBack(PlanBook? book)
{
    private readonly IReadOnlySet<ulong> _keys = book?.DoubtfulKeys() ?? new HashSet<ulong>();

    /// <summary>How many were kept back.</summary>
    public int Count { get; private set; }

    /// <summary>Whether a message is kept back; asked once for each that the filter selects.</summary>
    public bool Keeps(ParkedMessage message)
    {
        if (_keys.Count == 0 || !_keys.Contains(LotKey.Of(message)))
        {
            return false;
        }

        Count++;
        return true;
    }
}
