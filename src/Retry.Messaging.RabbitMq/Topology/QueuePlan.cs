namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>A durable queue as it should be.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Arguments">Its arguments, ordered by key.</param>
internal sealed record QueuePlan(string Name, IReadOnlyDictionary<string, object?> Arguments);
