using Retry.Messaging.RabbitMq.Instances;

namespace Retry.Messaging.Operations.Nodes;

/// <summary>One instance of a service that has said what it serves, and has not said that it stops.</summary>
/// <param name="Instance">Its id.</param>
/// <param name="By">Its host and process, for example <c>web-1:4711</c>.</param>
internal sealed record NodeSummary(string Instance, string By)
{
    /// <summary>Whether it has a connection to the broker at the moment; one that has not died, or has lost it.</summary>
    public bool IsThere { get; init; }

    /// <summary>When it was last heard of, by its clock: it repeats what it says three times a day.</summary>
    public DateTimeOffset SaidAt { get; init; }

    /// <summary>What it is built of; <see langword="null"/> where it did not say.</summary>
    public InstanceFacts? Facts { get; init; }

    /// <summary>Whether it is ill while a target is not, and so takes no messages of a point.</summary>
    public bool IsIll => IsThere && Points.Any(point => point.Ill is not null);

    /// <summary>What it serves, by name.</summary>
    public IReadOnlyList<ServedPoint> Points { get; init; } = [];
}
