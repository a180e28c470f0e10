namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>A binding as it should be.</summary>
/// <param name="Source">The exchange that messages come from.</param>
/// <param name="Destination">The queue or exchange they go to.</param>
/// <param name="ToQueue">Whether the destination is a queue.</param>
/// <param name="RoutingKey">The binding key.</param>
internal sealed record BindingPlan(string Source, string Destination, bool ToQueue, string RoutingKey);
