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
