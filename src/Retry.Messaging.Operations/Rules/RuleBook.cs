using System.Collections.Concurrent;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.Operations.Rules;

/// <summary>What the control log says about rules, and about the circuits that they go by. Written by the log's reader, read by everybody.</summary>
/// <remarks>What was read holds when the log is deleted and made anew: it begins with less than is known then, and gets it back.</remarks>
internal sealed class RuleBook
{
    private readonly ConcurrentDictionary<string, RuleEntry> _entries = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CircuitDocument> _circuits = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ControlRecord> _known = new(StringComparer.Ordinal);

    /// <summary>All that were not removed, by point and name, and those that cannot be read.</summary>
    public IReadOnlyList<RuleEntry> Entries =>
    [
        .. _entries.Values.Where(entry => entry.Rule is not { Removed: not null, Unfinished: null })
            .OrderBy(entry => entry.Point, StringComparer.Ordinal)
            .ThenBy(entry => entry.Name, StringComparer.Ordinal),
    ];

    /// <summary>What is known of a rule; <see langword="null"/> where it was never set.</summary>
    public RuleEntry? Find(string point, string name) => _entries.GetValueOrDefault(Rule.KeyOf(point, name));

    /// <summary>The circuit of a point; <see langword="null"/> where it was never anything but closed.</summary>
    public CircuitDocument? CircuitOf(string point) => _circuits.GetValueOrDefault(point);

    /// <summary>Takes in a record of the log; one of another kind is passed over.</summary>
    public void Read(ControlRecord record)
    {
        if (record.Kind == CircuitDocument.Kind && CircuitDocument.TryRead(record) is { } circuit)
        {
            _circuits[record.Key] = circuit;
        }
        else if (record.Kind == RuleDocuments.Kind && (_known.GetValueOrDefault(record.Key)?.Version ?? 0) <= record.Version)
        {
            _known[record.Key] = record;
            _entries[record.Key] = EntryOf(record);
        }
    }

    /// <summary>What a log that was made anew does not have.</summary>
    public IReadOnlyList<ControlRecord> MissingIn(ControlLog log) =>
        [.. _known.Values.Where(known => (log.Find(known.Kind, known.Key)?.Version ?? 0) < known.Version)];

    private static RuleEntry EntryOf(ControlRecord record)
    {
        var slash = record.Key.IndexOf('/', StringComparison.Ordinal);
        var entry = new RuleEntry(record.Key[(slash + 1)..], slash < 0 ? string.Empty : record.Key[..slash], record.Version);
        try
        {
            return entry with { Rule = RuleDocuments.Read(record) };
        }
        catch (FormatException exception)
        {
            return entry with { WhyUnreadable = exception.Message };
        }
    }
}
