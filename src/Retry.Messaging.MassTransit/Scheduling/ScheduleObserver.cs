using MassTransit;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Sees each send and publish of a bus before it leaves, has those with a delay go by the ladder, and takes what is said of recurring ones.</summary>
internal sealed class ScheduleObserver(LadderGuard ladder, RecurringCalls recurring, SentSchedules sent, TimeProvider time) : ISendObserver, IPublishObserver
{
    public Task PreSend<T>(SendContext<T> context)
        where T : class
    {
        if (RecurringCapture.Of(context) is { } capture)
        {
            capture.Take(context);
            return Task.CompletedTask;
        }

        return ScheduledSend.Concerns(context) ? RewriteAsync(context)
            : CancelSend.Concerns(context) ? CancelAsync(context)
            : Task.CompletedTask;
    }

    public Task PrePublish<T>(PublishContext<T> context)
        where T : class =>
        RecurringCalls.Concerns(context) ? recurring.TakeAsync(context)
        : ScheduledSend.Concerns(context) ? RewriteAsync(context)
        : Task.CompletedTask;

    public Task PostSend<T>(SendContext<T> context)
        where T : class
    {
        sent.Sent(context);
        return Task.CompletedTask;
    }

    public Task PostPublish<T>(PublishContext<T> context)
        where T : class
    {
        sent.Sent(context);
        return Task.CompletedTask;
    }

    public Task SendFault<T>(SendContext<T> context, Exception exception)
        where T : class =>
        Failed(context);

    public Task PublishFault<T>(PublishContext<T> context, Exception exception)
        where T : class =>
        Failed(context);

    private async Task RewriteAsync<T>(SendContext<T> context)
        where T : class
    {
        var asked = AskedSchedule.Take(context, time.GetUtcNow());
        await ladder.CheckAsync(context.DestinationAddress!, context.CancellationToken).ConfigureAwait(false);
        ScheduledSend.Rewrite(context, asked, time.GetUtcNow());
    }

    private async Task CancelAsync(SendContext context)
    {
        await ladder.CheckAsync(context.DestinationAddress!, context.CancellationToken).ConfigureAwait(false);
        CancelSend.Rewrite(context);
    }

    private Task Failed(SendContext context)
    {
        if (ScheduledSend.WasRewritten(context))
        {
            ladder.Suspect();
        }

        return Task.CompletedTask;
    }
}
