using MassTransit;
using MassTransit.Transports;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>What <c>AddGradientScheduler</c> said about one bus.</summary>
/// <param name="Options">The settings.</param>
/// <param name="ContextOf">Finds the bus's registration context, by which a bus is told from another.</param>
/// <param name="InstanceOf">Finds the bus, when it has been created.</param>
internal sealed record GradientSchedulerRegistration(
    GradientSchedulerOptions Options,
    Func<IServiceProvider, IBusRegistrationContext> ContextOf,
    Func<IServiceProvider, IBusInstance> InstanceOf);
