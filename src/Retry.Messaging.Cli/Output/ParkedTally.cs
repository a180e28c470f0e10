using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Output;

/// <summary>Counts messages by reason, and remembers which of the wanted ids came by.</summary>
internal sealed class ParkedTally(IReadOnlyCollection<string> wantedIds)
{
    private readonly SortedDictionary<string, long> _byReason = new(StringComparer.Ordinal);
    private readonly HashSet<string> _missing = new(wantedIds, StringComparer.Ordinal);

    public long Count { get; private set; }

    public IReadOnlyDictionary<string, long> ByReason => _byReason;

    /// <summary>The ids that were asked for and not met.</summary>
    public IReadOnlyCollection<string> Missing => _missing;

    public void Add(ParkedMessage message)
    {
        Count++;
        _byReason[message.Reason.Name] = _byReason.GetValueOrDefault(message.Reason.Name) + 1;
        _missing.Remove(message.Id);
    }

    /// <summary>For example <c>12 Exhausted, 3 Failed</c>.</summary>
    public override string ToString() => string.Join(", ", _byReason.Select(reason => $"{Printable.Count(reason.Value)} {Printable.Line(reason.Key)}"));
}
