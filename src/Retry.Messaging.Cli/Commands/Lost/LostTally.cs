using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Lost;

/// <summary>Counts lost messages by the queue that they were on their way to.</summary>
internal sealed class LostTally
{
    private readonly SortedDictionary<string, long> _byQueue = new(StringComparer.Ordinal);

    public long Count { get; private set; }

    public IReadOnlyDictionary<string, long> ByQueue => _byQueue;

    public HashSet<string> Ids { get; } = new(StringComparer.Ordinal);

    public void Add(ParkedMessage message)
    {
        Count++;
        _byQueue[message.WorkQueue] = _byQueue.GetValueOrDefault(message.WorkQueue) + 1;
        Ids.Add(message.Id);
    }

    /// <summary>For example <c>1,000 for 'orders', 3 for 'payments'</c>.</summary>
    public override string ToString() => string.Join(", ", _byQueue.Select(queue => $"{Printable.Count(queue.Value)} for '{Printable.Line(queue.Key)}'"));
}
