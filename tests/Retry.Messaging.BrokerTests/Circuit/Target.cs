using System.Collections.Concurrent;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>What consumers call. It counts the calls itself.</summary>
internal sealed class Target
{
    /// <summary>Whether each call fails.</summary>
    public volatile bool IsIll;

    /// <summary>When calls failed.</summary>
    public ConcurrentQueue<DateTimeOffset> Failed { get; } = new();

    /// <summary>When calls succeeded.</summary>
    public ConcurrentQueue<DateTimeOffset> Done { get; } = new();

    /// <summary>Calls it.</summary>
    /// <param name="isBad">Whether the call fails in any case.</param>
    public void Call(bool isBad)
    {
        if (IsIll || isBad)
        {
            Failed.Enqueue(DateTimeOffset.UtcNow);
            throw new InvalidOperationException("the gateway is away");
        }

        Done.Enqueue(DateTimeOffset.UtcNow);
    }
}
