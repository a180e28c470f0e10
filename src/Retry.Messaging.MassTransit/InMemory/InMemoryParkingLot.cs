using System.Collections.Concurrent;

namespace Retry.Messaging.MassTransit.InMemory;

/// <summary>The parking lot of the in-memory transport.</summary>
internal sealed class InMemoryParkingLot
{
    private readonly ConcurrentQueue<InMemoryParkedMessage> _parked = new();

    /// <summary>Whether retries come at once instead of after their delay.</summary>
    public bool SkipDelays { get; set; }

    public IReadOnlyList<InMemoryParkedMessage> Parked => [.. _parked];

    public void Add(InMemoryParkedMessage message) => _parked.Enqueue(message);
}
