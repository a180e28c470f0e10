namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Which deliveries of a channel are done, and how few acknowledgements tell so. Pure; not safe for several threads.</summary>
/// <remarks>
/// The broker's work for an acknowledgement is the same for one message and for hundreds. One that is held stops those behind it from going
/// with those before it: they are told one by one, the next time.
/// </remarks>
internal sealed class DoneDeliveries
{
    private readonly HashSet<ulong> _told = [];
    private HashSet<ulong> _late = [];
    private HashSet<ulong> _new = [];
    private ulong _reached;

    /// <summary>Notes that a delivery is done.</summary>
    /// <param name="tag">Its tag; the first on a channel is 1, and none is left out.</param>
    public void Add(ulong tag) => _new.Add(tag);

    /// <summary>Takes what is to be told.</summary>
    /// <returns>Up to which tag all are done, if there is something new to that; and single ones behind it.</returns>
    public (ulong? UpTo, IReadOnlyCollection<ulong> Singles) Take()
    {
        ulong? upTo = null;
        for (var next = _reached + 1; ; next++)
        {
            // the broker knows no tag that it was told before
            if (_new.Remove(next) || _late.Remove(next))
            {
                upTo = next;
            }
            else if (!_told.Remove(next))
            {
                _reached = next - 1;
                break;
            }
        }

        var singles = _late;
        _told.UnionWith(singles);
        (_late, _new) = (_new, []);
        return (upTo, singles);
    }

    /// <summary>Whether something is done and not told.</summary>
    public bool HasMore => _new.Count > 0 || _late.Count > 0;
}
