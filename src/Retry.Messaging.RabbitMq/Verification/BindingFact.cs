namespace Retry.Messaging.RabbitMq.Verification;

/// <summary>A binding as it is.</summary>
internal sealed record BindingFact(string Source, string Destination, bool ToQueue, string RoutingKey);
