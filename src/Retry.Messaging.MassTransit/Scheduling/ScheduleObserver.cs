using MassTransit;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Sees each send and publish of a bus before it leaves, and has those with a delay go by the ladder.</summary>
/// <param name="ladder">Completes when the ladder has been declared; throws where there is none, since the message would end in the lost queue.</param>
/// <param name="time">The clock.</param>
internal sealed class ScheduleObserver(Func<Uri, CancellationToken, Task> ladder, TimeProvider time) : ISendObserver, IPublishObserver
{
    public Task PreSend<T>(SendContext<T> context)
        where T : class =>
        ScheduledSend.Concerns(context) ? RewriteAsync(context) : Task.CompletedTask;

    public Task PrePublish<T>(PublishContext<T> context)
        where T : class =>
        ScheduledSend.Concerns(context) ? RewriteAsync(context) : Task.CompletedTask;

    public Task PostSend<T>(SendContext<T> context)
        where T : class =>
        Task.CompletedTask;

    public Task PostPublish<T>(PublishContext<T> context)
        where T : class =>
        Task.CompletedTask;

    public Task SendFault<T>(SendContext<T> context, Exception exception)
        where T : class =>
        Task.CompletedTask;

    public Task PublishFault<T>(PublishContext<T> context, Exception exception)
        where T : class =>
        Task.CompletedTask;

    private async Task RewriteAsync<T>(SendContext<T> context)
        where T : class
    {
        var due = DueAt(context.Delay!.Value);
        await ladder(context.DestinationAddress!, context.CancellationToken).ConfigureAwait(false);
        ScheduledSend.Rewrite(context, due, time.GetUtcNow());
    }

    private DateTimeOffset DueAt(TimeSpan delay)
    {
        var now = time.GetUtcNow();
        return delay < DateTimeOffset.MaxValue - now ? now + delay : DateTimeOffset.MaxValue;
    }
}
