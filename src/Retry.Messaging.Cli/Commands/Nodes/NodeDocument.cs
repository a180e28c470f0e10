using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.RabbitMq.Instances;

namespace Retry.Messaging.Cli.Commands.Nodes;

/// <summary>One instance as JSON shows it.</summary>
internal sealed record NodeDocument(
    string Node,
    string Instance,
    bool IsThere,
    DateTimeOffset SaidAt,
    DateTimeOffset? Started,
    string? Build,
    string? Library,
    string? Framework,
    string? Runtime,
    IReadOnlyList<ServedPoint> Points)
{
    public static NodeDocument Of(NodeSummary node) => new(
        node.By,
        node.Instance,
        node.IsThere,
        node.SaidAt,
        node.Facts?.Started,
        node.Facts?.Build,
        node.Facts?.Library,
        node.Facts?.Framework,
        node.Facts?.Runtime,
        node.Points);
}
