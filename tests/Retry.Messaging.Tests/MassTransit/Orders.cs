using System.Collections.Concurrent;
using MassTransit;

namespace Retry.Messaging.Tests.MassTransit;

public sealed record SubmitOrder(Guid OrderId, int FailuresFirst = int.MaxValue) : CorrelatedBy<Guid>
{
    public Guid CorrelationId => OrderId;
}

public sealed record OrderSubmitted(Guid OrderId);

/// <summary>What happened, in order.</summary>
public sealed class Journal
{
    private readonly ConcurrentQueue<(int Redeliveries, DateTimeOffset At)> _attempts = new();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<int> Redeliveries => [.. _attempts.Select(attempt => attempt.Redeliveries)];

    public IReadOnlyList<DateTimeOffset> Times => [.. _attempts.Select(attempt => attempt.At)];

    public Task Done => _done.Task.WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>Fails so often as the order says.</summary>
    public void Attempt(ConsumeContext context, SubmitOrder order)
    {
        _attempts.Enqueue((context.GetRedeliveryCount(), TimeProvider.System.GetUtcNow()));
        if (_attempts.Count <= order.FailuresFirst)
        {
            throw new InvalidOperationException($"failure {_attempts.Count}");
        }

        _done.TrySetResult();
    }
}

public sealed class OrderConsumer(Journal journal) : IConsumer<SubmitOrder>
{
    public Task Consume(ConsumeContext<SubmitOrder> context)
    {
        journal.Attempt(context, context.Message);
        return Task.CompletedTask;
    }
}

/// <summary>Publishes, then fails: the event must not get out.</summary>
public sealed class PublishingConsumer(Journal journal) : IConsumer<SubmitOrder>
{
    public async Task Consume(ConsumeContext<SubmitOrder> context)
    {
        await context.Publish(new OrderSubmitted(context.Message.OrderId));
        journal.Attempt(context, context.Message);
    }
}

public sealed class OrderSaga : ISaga, InitiatedBy<SubmitOrder>
{
    public Guid CorrelationId { get; set; }

    public Task Consume(ConsumeContext<SubmitOrder> context)
    {
        context.GetPayload<IServiceProvider>().GetService(typeof(Journal)).ShouldBeJournal().Attempt(context, context.Message);
        return Task.CompletedTask;
    }
}

public static class JournalExtensions
{
    public static Journal ShouldBeJournal(this object? service) => (Journal)service!;
}
