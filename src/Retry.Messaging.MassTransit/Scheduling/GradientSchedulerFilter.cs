using MassTransit;
using MassTransit.Context;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Gives consumers and sagas a scheduler that cancels.</summary>
/// <remarks>It stands before all that the user configures, and who finds a scheduler in the context leaves it there.</remarks>
internal sealed class GradientSchedulerFilter(TimeProvider time) : IFilter<ConsumeContext>
{
    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        context.GetOrAddPayload<MessageSchedulerContext>(() => new ConsumeMessageSchedulerContext(context, Scheduler));
        return next.Send(context);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientScheduler");

    private IMessageScheduler Scheduler(ConsumeContext context) => GradientScheduleProvider.Scheduler(context, context.GetPayload<IBusTopology>(), time);
}
