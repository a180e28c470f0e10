using System.Collections.Concurrent;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>What the control log says about all recurrences. Written by the reader of the log, read by everybody.</summary>
internal sealed class RecurrenceBook
{
    private readonly ConcurrentDictionary<string, RecurrenceState> _states = new(StringComparer.Ordinal);

    /// <summary>Gets all that were ever defined, by name.</summary>
    public IReadOnlyList<RecurrenceState> All => [.. _states.Values.OrderBy(state => state.Name, StringComparer.Ordinal)];

    /// <summary>What is known of one.</summary>
    public RecurrenceState Of(string name) => _states.TryGetValue(name, out var state) ? state : new RecurrenceState(name);

    /// <summary>Takes in a record of the log.</summary>
    public void Read(ControlRecord record)
    {
        if (record.Kind.StartsWith(RecurrenceDocuments.DefinitionKind, StringComparison.Ordinal))
        {
            _states[record.Key] = Of(record.Key).With(record);
        }
    }
}
