namespace Retry.Messaging.Idempotency.Testing;

/// <summary>A store does not keep a rule.</summary>
/// <param name="message">What was found and what is wanted.</param>
public sealed class StoreRuleException(string message) : Exception(message);
