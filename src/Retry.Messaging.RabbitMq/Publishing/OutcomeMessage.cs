using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>A message to publish as the outcome of an attempt.</summary>
internal readonly record struct OutcomeMessage(string Exchange, string RoutingKey, BasicProperties Properties, ReadOnlyMemory<byte> Body);
