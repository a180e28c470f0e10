namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>What a message is parked with whose validity ended while the circuit of its point was open. It is not thrown.</summary>
internal sealed class CircuitOpenException(string queue)
    : Exception($"The message waited in queue '{queue}' because its target was ill, and its validity would end before it could be tried again.");
