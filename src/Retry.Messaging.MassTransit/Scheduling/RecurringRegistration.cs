using MassTransit;
using MassTransit.Scheduling;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>One message that the code of a service adds to what recurs.</summary>
/// <param name="ContextOf">Finds the bus's registration context, by which a bus is told from another.</param>
/// <param name="CommandOn">Makes MassTransit's command, as <c>ScheduleRecurringSend</c> or <c>ScheduleRecurringPublish</c> would on the bus.</param>
internal sealed record RecurringRegistration(Func<IServiceProvider, IBusRegistrationContext> ContextOf, Func<IBus, ScheduleRecurringMessage> CommandOn);
