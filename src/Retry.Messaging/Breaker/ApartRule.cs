namespace Retry.Messaging.Breaker;

/// <summary>Which nodes are set apart, so that the others do their messages. Pure.</summary>
/// <remarks>
/// As many as the judgement of the target leaves out (<see cref="BreakerRule"/>), and never all: a third of the nodes that live, one of two or
/// three, none where there is only one. If more of them fail, that is a matter of the target.
/// </remarks>
internal static class ApartRule
{
    /// <summary>Tells how many of so many nodes may be set apart.</summary>
    public static int Most(int living) => living <= 1 ? 0 : Math.Max(1, living / 3);

    /// <summary>Tells which nodes are set apart from now on.</summary>
    /// <param name="apart">Those that are.</param>
    /// <param name="living">Every node that lives and serves the point, with the last number that it has come back from; <see langword="null"/> where it cannot be set apart.</param>
    /// <param name="isComplete">Whether every node that lives has had time to say so. Until then none is taken for dead.</param>
    /// <param name="ill">The nodes that are ill, with the evidence for each.</param>
    /// <param name="number">The number of those that are new.</param>
    public static IReadOnlyList<ApartNode> Next(
        IReadOnlyList<ApartNode> apart,
        IReadOnlyDictionary<string, long?> living,
        bool isComplete,
        IReadOnlyDictionary<string, BreakerEvidence> ill,
        long number)
    {
        List<ApartNode> kept = [.. apart.Where(node => living.TryGetValue(node.Node, out var back) ? back < node.Number : !isComplete)];
        var most = Most(kept.Select(node => node.Node).Union(living.Keys).Count());

        // others have gone: those that were found first are the surest
        kept = [.. kept.OrderBy(node => node.Number).Take(most)];
        var found = ill
            .Where(node => living.GetValueOrDefault(node.Key) is not null && kept.TrueForAll(other => other.Node != node.Key))
            .OrderByDescending(node => node.Value.Outcomes.Evidence)
            .ThenBy(node => node.Key, StringComparer.Ordinal)
            .Take(most - kept.Count)
            .Select(node => new ApartNode(node.Key, number, node.Value.ToString()));
        return [.. kept, .. found];
    }
}
