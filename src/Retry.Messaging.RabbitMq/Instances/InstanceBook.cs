using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Instances;

/// <summary>Which instances have begun to consume from which queue, and have not said that they stop.</summary>
internal sealed class InstanceBook
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<string>> _serving = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);

    /// <summary>Takes in a record; one of another kind is passed over.</summary>
    public void Read(ControlRecord record)
    {
        if (record.Kind is not (InstanceDocument.BeganKind or InstanceDocument.EndedKind)
            || InstanceDocument.Read(record)?.Instance is not { } instance)
        {
            return;
        }

        lock (_lock)
        {
            if (record.Kind == InstanceDocument.EndedKind)
            {
                _ended.Add(instance);
                foreach (var instances in _serving.Values)
                {
                    instances.Remove(instance);
                }
            }
            else if (!_ended.Contains(instance))
            {
                if (!_serving.TryGetValue(record.Key, out var instances))
                {
                    _serving[record.Key] = instances = new HashSet<string>(StringComparer.Ordinal);
                }

                instances.Add(instance);
            }
        }
    }

    /// <summary>Whether an instance, or another for it, has said that it stops.</summary>
    public bool HasEnded(string instance)
    {
        lock (_lock)
        {
            return _ended.Contains(instance);
        }
    }

    /// <summary>The instances that should be consuming from a queue.</summary>
    public IReadOnlyList<string> Serving(string queue)
    {
        lock (_lock)
        {
            return _serving.TryGetValue(queue, out var instances) ? [.. instances] : [];
        }
    }
}
