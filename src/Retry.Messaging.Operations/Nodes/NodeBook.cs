using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Instances;

namespace Retry.Messaging.Operations.Nodes;

/// <summary>Puts together what instances have said of themselves. Pure.</summary>
internal static class NodeBook
{
    /// <summary>The instances that have not said that they stop, nor have others for them.</summary>
    /// <param name="records">The announcements, in order; those of other kinds are passed over.</param>
    public static IReadOnlyList<NodeSummary> Of(IEnumerable<ControlRecord> records)
    {
        var ended = new HashSet<string>(StringComparer.Ordinal);
        var nodes = new Dictionary<string, NodeSummary>(StringComparer.Ordinal);
        foreach (var record in records)
        {
            if (InstanceDocument.Read(record) is not { } document)
            {
                continue;
            }

            if (record.Kind == InstanceDocument.EndedKind)
            {
                ended.Add(document.Instance);
            }
            else if (record.Kind == InstanceDocument.BeganKind)
            {
                var known = nodes.GetValueOrDefault(document.Instance) ?? new NodeSummary(document.Instance, record.By);
                // an instance of another version may say less
                var said = document.Point ?? new ServedPoint(record.Key);
                var point = said with { Queue = record.Key, MessageTypes = said.MessageTypes ?? [] };
                nodes[document.Instance] = known with
                {
                    SaidAt = record.At,
                    Facts = document.Facts ?? known.Facts,
                    Points = [.. known.Points.Where(other => other.Queue != record.Key).Append(point).OrderBy(one => one.Queue, StringComparer.Ordinal)],
                };
            }
        }

        var running = nodes.Values.Where(node => !ended.Contains(node.Instance));
        return [.. running.OrderBy(node => node.By, StringComparer.Ordinal).ThenBy(node => node.Instance, StringComparer.Ordinal)];
    }
}
