namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What was published on a channel and waits for its confirm, by the channel's sequence numbers.</summary>
internal sealed class InFlight
{
    private readonly Dictionary<ulong, LimitedDelivery> _waiting = [];
    private ulong _oldest = 1;
    private ulong _next = 1;

    public int Count => _waiting.Count;

    /// <summary>Counts a publish, before it is made.</summary>
    public void Add(LimitedDelivery delivery) => _waiting.Add(_next++, delivery);

    /// <summary>Takes out what a confirm or refusal is about.</summary>
    public IEnumerable<LimitedDelivery> Settle(ulong number, bool multiple)
    {
        for (var i = multiple ? _oldest : number; i <= number; i++)
        {
            if (_waiting.Remove(i, out var delivery))
            {
                yield return delivery;
            }
        }

        if (multiple && number >= _oldest)
        {
            _oldest = number + 1;
        }
    }
}
