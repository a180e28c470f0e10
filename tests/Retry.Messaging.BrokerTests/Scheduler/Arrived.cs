using System.Collections.Concurrent;
using MassTransit;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Messages that reached a consumer, with the time.</summary>
internal sealed class Arrived<T>
    where T : class
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<(DateTime At, T Message)> _messages = new();

    public int Count => _messages.Count;

    public IReadOnlyList<(DateTime At, T Message)> All => [.. _messages];

    public Task Note(ConsumeContext<T> context)
    {
        _messages.Enqueue((DateTime.UtcNow, context.Message));
        return Task.CompletedTask;
    }

    /// <summary>Waits for the first.</summary>
    public async Task<(DateTime At, T Message)> OneAsync() => (await SomeAsync(1))[0];

    /// <summary>Waits for some.</summary>
    public async Task<IReadOnlyList<(DateTime At, T Message)>> SomeAsync(int count)
    {
        await Eventually.TrueAsync(() => _messages.Count >= count, Deadline, () => $"{_messages.Count} of {count} arrived", TimeSpan.FromMilliseconds(5));
        return All;
    }
}
