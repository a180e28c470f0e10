using Retry.Messaging.Breaker;

namespace Retry.Messaging.Operations.Pulse;

/// <summary>Whether what a point calls looks ill.</summary>
/// <param name="Target">Why the target looks ill; <see langword="null"/> where it does not.</param>
/// <param name="Nodes">Nodes that look ill while the target does not.</param>
internal sealed record TargetHealth(string? Target, IReadOnlyList<IllNode> Nodes)
{
    /// <summary>Nothing looks ill.</summary>
    public static readonly TargetHealth Well = new(null, []);

    /// <summary>Puts a verdict into words.</summary>
    /// <param name="verdict">The verdict.</param>
    /// <param name="names">Host and process of each node, by its id.</param>
    public static TargetHealth Of(BreakerVerdict verdict, IReadOnlyDictionary<string, string> names) => new(
        verdict.Target?.ToString(),
        [.. verdict.Nodes.Select(node => new IllNode(names[node.Key], node.Value.ToString())).OrderBy(node => node.Node, StringComparer.Ordinal)]);
}

/// <summary>A node that looks ill.</summary>
/// <param name="Node">Its host and process.</param>
/// <param name="Why">What it did.</param>
internal sealed record IllNode(string Node, string Why);
