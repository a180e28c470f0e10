using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>One record of a stream.</summary>
/// <param name="Offset">Its place in the stream.</param>
/// <param name="Properties">Its properties.</param>
/// <param name="Body">Its body, a copy that may be kept.</param>
internal readonly record struct StreamRecord(long Offset, IReadOnlyBasicProperties Properties, ReadOnlyMemory<byte> Body);
