using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>A message from the schedule queue.</summary>
/// <param name="Tag">Its delivery tag.</param>
/// <param name="Redelivered">Whether a dispatcher held it before, and may have dispatched it.</param>
/// <param name="Properties">Its properties.</param>
/// <param name="Body">Its bytes, a copy.</param>
internal sealed record ScheduledDelivery(ulong Tag, bool Redelivered, IReadOnlyBasicProperties Properties, ReadOnlyMemory<byte> Body);
