namespace Retry.Messaging.Operations.Verification;

/// <summary>A binding as it is.</summary>
internal sealed record BindingFact(string Source, string Destination, bool ToQueue, string RoutingKey);
