using MassTransit;

namespace Retry.Messaging.Benchmarks.Service;

/// <summary>Counts deliveries that MassTransit has dealt with, acknowledgement included.</summary>
/// <param name="total">How many there will be.</param>
internal sealed class Receipts(int total) : IReceiveObserver
{
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    public Task AllAsync(CancellationToken cancellationToken) => _all.Task.WaitAsync(cancellationToken);

    public Task PreReceive(ReceiveContext context) => Task.CompletedTask;

    public Task PostReceive(ReceiveContext context)
    {
        if (Interlocked.Increment(ref _count) == total)
        {
            _all.TrySetResult();
        }

        return Task.CompletedTask;
    }

    public Task PostConsume<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType)
        where T : class => Task.CompletedTask;

    public Task ConsumeFault<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
        where T : class => Task.CompletedTask;

    public Task ReceiveFault(ReceiveContext context, Exception exception) => Task.CompletedTask;
}
