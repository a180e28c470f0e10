namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary><c>topology plan</c> as JSON shows it.</summary>
internal sealed record TopologyPlanDocument(
    IReadOnlyList<PlannedExchangeDocument> Exchanges,
    IReadOnlyList<PlannedQueueDocument> Queues,
    IReadOnlyList<PlannedBindingDocument> Bindings);

/// <summary>An exchange of the plan; whether it exists where a broker was named.</summary>
internal sealed record PlannedExchangeDocument(string Name, string Type, IReadOnlyDictionary<string, object?> Arguments, bool? Exists);

/// <summary>A queue of the plan; whether it exists where a broker was named.</summary>
internal sealed record PlannedQueueDocument(string Name, IReadOnlyDictionary<string, object?> Arguments, bool? Exists);

/// <summary>A binding of the plan, which AMQP cannot look for.</summary>
internal sealed record PlannedBindingDocument(string Source, string Destination, string DestinationType, string RoutingKey);

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

/// <summary>The result of <c>topology verify</c> as JSON shows it.</summary>
internal sealed record TopologyVerifyDocument(
    IReadOnlyList<string> Points,
    IReadOnlyList<FindingDocument> Findings,
    IReadOnlyList<NotCheckedDocument> NotChecked,
    IReadOnlyList<string> Advice);

/// <summary>One finding.</summary>
internal sealed record FindingDocument(string Kind, string Subject, string Found, string Wanted, string NextStep);

/// <summary>Something that could not be looked at.</summary>
internal sealed record NotCheckedDocument(string What, string Why);
