using Retry.Messaging.Operations.Nodes;

namespace Retry.Messaging.Operations.Rules;

/// <summary>Remembers since when all instances of a point are of one build. Pure.</summary>
internal sealed class BuildWatch
{
    private readonly Dictionary<(string Point, string Build), DateTimeOffset> _since = [];

    /// <summary>Looks at the instances.</summary>
    /// <param name="nodes">All instances that have not said that they stop.</param>
    /// <param name="point">The work queue.</param>
    /// <param name="build">The build.</param>
    /// <param name="now">The current time.</param>
    /// <returns>Since when all that are there have been of it; <see langword="null"/> where one is not, or none is there.</returns>
    public DateTimeOffset? Look(IReadOnlyList<NodeSummary> nodes, string point, string build, DateTimeOffset now)
    {
        var serving = nodes.Where(node => node.IsThere && node.Points.Any(served => served.Queue == point)).ToList();
        if (serving.Count == 0 || serving.Any(node => node.Facts?.Build != build))
        {
            _since.Remove((point, build));
            return null;
        }

        return _since.TryAdd((point, build), now) ? now : _since[(point, build)];
    }
}
