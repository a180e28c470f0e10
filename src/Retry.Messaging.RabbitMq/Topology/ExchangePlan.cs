namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>An exchange as it should be.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">topic, direct or fanout.</param>
/// <param name="Arguments">Its arguments, ordered by key.</param>
internal sealed record ExchangePlan(string Name, string Type, IReadOnlyDictionary<string, object?> Arguments);
