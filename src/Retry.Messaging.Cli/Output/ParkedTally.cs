using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Output;

/// <summary>Counts messages by reason and by queue, and remembers which of the wanted ids came by.</summary>
internal sealed class ParkedTally(IReadOnlyCollection<string> wantedIds)
{
    private readonly ParkedGrouping _byReason = ParkedGrouping.By("reason")!;
    private readonly ParkedGrouping _byQueue = new(static message => message.WorkQueue);
    private readonly HashSet<string> _missing = new(wantedIds, StringComparer.Ordinal);

    public long Count => _byReason.Total.Count;

    public IReadOnlyDictionary<string, long> ByReason => CountsOf(_byReason);

    /// <summary>By the work queue; empty for those that name none.</summary>
    public IReadOnlyDictionary<string, long> ByQueue => CountsOf(_byQueue);

    /// <summary>The ids that were asked for and not met.</summary>
    public IReadOnlyCollection<string> Missing => _missing;

    public void Add(ParkedMessage message)
    {
        _byReason.Add(message);
        _byQueue.Add(message);
        _missing.Remove(message.Id);
    }

    /// <summary>For example <c>Oldest 3h, newest 2m</c>; <see langword="null"/> where no message tells when it was parked.</summary>
    public string? Ages(TimeProvider time) => _byReason.Total is { First: { } first, Last: { } last } && time.GetUtcNow() is var now
        ? $"Oldest {Printable.Age(now - first)}, newest {Printable.Age(now - last)}"
        : null;

    /// <summary>For example <c>12 Exhausted, 3 Failed</c>.</summary>
    public override string ToString() => string.Join(", ", ByReason.Select(reason => $"{Printable.Count(reason.Value)} {Printable.Line(reason.Key)}"));

    private static SortedDictionary<string, long> CountsOf(ParkedGrouping grouping) =>
        new(grouping.Groups.ToDictionary(group => group.Name, group => group.Count), StringComparer.Ordinal);
}
