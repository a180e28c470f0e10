namespace Retry.Messaging.RabbitMq.Verification;

/// <summary>A policy as it is.</summary>
internal sealed record PolicyFact(string Name, string Pattern, string ApplyTo, int Priority, IReadOnlyDictionary<string, object?> Definition);
