namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary>A queue that <c>topology remove</c> took away, as JSON shows it.</summary>
/// <param name="Removed">The queue.</param>
/// <param name="Point">The work queue that it belonged to.</param>
/// <param name="SentOn">How many messages arrived meanwhile and went on to the work queue.</param>
internal sealed record TopologyRemoveDocument(string Removed, string Point, long SentOn);
