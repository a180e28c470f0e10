using MassTransit;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>What <c>AddGradientRetry</c> said about one bus.</summary>
/// <param name="ContextOf">Finds the bus's registration context, by which a bus is told from another.</param>
/// <param name="Options">The bus-wide options.</param>
internal sealed record GradientRetryRegistration(Func<IServiceProvider, IBusRegistrationContext> ContextOf, GradientRetryOptions Options);
