using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Strategies;

namespace Retry.Messaging.Operations.Policies;

/// <summary>The policy of a point: what operators have set, and what the instances that serve it say.</summary>
/// <param name="Document">What operators have set.</param>
/// <param name="Nodes">The instances that are there.</param>
/// <param name="Limiter">The point's limit, which is a document of its own.</param>
internal sealed record PolicyReport(PolicyDocument Document, IReadOnlyList<NodeSummary> Nodes, LimiterReport Limiter)
{
    /// <summary>What the instances say of the point.</summary>
    public IEnumerable<RabbitMq.Instances.ServedPoint> Served => Nodes.SelectMany(node => node.Points).Where(point => point.Queue == Document.Point);

    /// <summary>The instances that do not apply the document, with the reason.</summary>
    public IReadOnlyList<(string Node, string Why)> Behind =>
    [
        .. from node in Nodes
           from point in node.Points
           where point.Queue == Document.Point && point.PolicyVersion != Document.Version && (Document.Version > 0 || point.PolicyTrouble is not null)
           select (node.By, point.PolicyTrouble ?? (point.PolicyVersion is { } version ? $"it applies version {version}" : "its version of the library follows no policy of operators")),
    ];
}
