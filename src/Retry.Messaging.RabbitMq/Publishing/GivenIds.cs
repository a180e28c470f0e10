namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>The newest chain ids that were made for first deliveries on one connection.</summary>
/// <remarks>
/// A broker does not deliver a message for the first time twice on one connection. If an id comes up again there, its message is another
/// one that is the same to the last byte: some clients have no message ids and little to say.
/// </remarks>
internal sealed class GivenIds
{
    private const int Newest = 4096;

    private readonly Lock _lock = new();
    private HashSet<string> _new = new(StringComparer.Ordinal);
    private HashSet<string> _old = new(StringComparer.Ordinal);

    /// <summary>Remembers an id.</summary>
    /// <returns>Whether no message had it before, as far as is remembered.</returns>
    public bool Give(string id)
    {
        lock (_lock)
        {
            if (_old.Contains(id) || !_new.Add(id))
            {
                return false;
            }

            if (_new.Count >= Newest)
            {
                (_old, _new) = (_new, _old);
                _new.Clear();
            }

            return true;
        }
    }
}
