namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Which cancels had nothing to cancel: a minute after its due time no message with the token has come.</summary>
/// <remarks>It knows only what this process has read while it was at work; a message that another one dropped counts as unknown. Not safe for several threads.</remarks>
internal sealed class CancelWatch
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly HashSet<Guid> _waiting = [];
    private readonly PriorityQueue<Guid, DateTimeOffset> _byTime = new();

    /// <summary>Something was cancelled before it was due.</summary>
    public void Cancelled(Guid token, DateTimeOffset due)
    {
        if (due < DateTimeOffset.MaxValue - Patience && _waiting.Add(token))
        {
            _byTime.Enqueue(token, due + Patience);
        }
    }

    /// <summary>Its message has come.</summary>
    public void Met(Guid token) => _waiting.Remove(token);

    /// <summary>Those for which none came. Each is told once.</summary>
    public IReadOnlyList<Guid> Unknown(DateTimeOffset now)
    {
        var unknown = new List<Guid>();
        while (_byTime.TryPeek(out var token, out var time) && time <= now)
        {
            _byTime.Dequeue();
            if (_waiting.Remove(token))
            {
                unknown.Add(token);
            }
        }

        return unknown;
    }
}
