namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary>The result of <c>topology apply</c> as JSON shows it.</summary>
internal sealed record TopologyApplyDocument(
    int Exchanges,
    int Queues,
    int Bindings,
    int Created,
    IReadOnlyList<string> NotBoundYet,
    IReadOnlyList<string> Different,
    PoliciesDocument Policies);

/// <summary>What became of the policies of the work queues.</summary>
internal sealed record PoliciesDocument(
    IReadOnlyList<PolicyResultDocument> Results,
    string? Obstacle,
    IReadOnlyList<UnwrittenPolicyDocument> NotWritten);

/// <summary>What became of the policy of one work queue.</summary>
internal sealed record PolicyResultDocument(string Outcome, string Message, string? Command);

/// <summary>The commands for a work queue that no policy was written for.</summary>
internal sealed record UnwrittenPolicyDocument(string Queue, string QuorumCommand, string ClassicCommand);
