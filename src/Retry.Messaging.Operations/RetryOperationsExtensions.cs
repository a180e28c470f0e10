using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.Operations.Carrying;
using Retry.Messaging.Operations.Rules;
using Retry.Messaging.RabbitMq.Connections;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace Microsoft.Extensions.DependencyInjection;
#pragma warning restore IDE0130

/// <summary>What operators leave to services.</summary>
public static class RetryOperationsExtensions
{
    private const string ClientName = "retry operations";

    /// <summary>Has this service carry out plans that nobody looks after: those of <c>retryctl parked replay --detach</c>, and those that a service's
    /// own replay or discard left unfinished, because it was killed or the work queue was full. And has it carry out the rules of
    /// <c>retryctl rules</c>.</summary>
    /// <param name="services">The services. The bus needs <c>AddGradientRetry</c>; of several buses (MultiBus) it is the one that AddMassTransit
    /// adds without a type.</param>
    /// <remarks>Any number of services may do so: each plan is carried out by one at a time. Reading a large lot takes its share of the bus's
    /// connection; <c>AddRetryOperations(address)</c> has a connection of its own.</remarks>
    public static IServiceCollection AddRetryOperations(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return Add(services, static provider => provider.GetService<IBrokerConnection>() ?? throw new InvalidOperationException(
            "The carrier of plans found no bus with graded retry, wanted services.AddMassTransit(x => { x.AddGradientRetry(); ... }). Without: services.AddRetryOperations(\"amqp://user:password@host/vhost\")."));
    }

    /// <summary>Has this service carry out plans that nobody looks after, on a connection of its own.</summary>
    /// <param name="services">The services.</param>
    /// <param name="broker">The broker: <c>amqp(s)://user:password@host:port/vhost</c>.</param>
    /// <exception cref="FormatException">The address cannot be read; the message says found and wanted.</exception>
    public static IServiceCollection AddRetryOperations(this IServiceCollection services, string broker)
    {
        ArgumentNullException.ThrowIfNull(services);
        var address = BrokerAddress.Parse(broker);
        // keyed: a parking lot has a connection of its own beside it
        services.TryAddKeyedSingleton(ClientName, (_, _) => new OwnConnection(address, ClientName));
        return Add(services, static provider => provider.GetRequiredKeyedService<OwnConnection>(ClientName));
    }

    private static IServiceCollection Add(IServiceCollection services, Func<IServiceProvider, IBrokerConnection> connection)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, PlanCarrier>(provider => new PlanCarrier(
            connection(provider),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetService<ILogger<PlanCarrier>>() ?? NullLogger<PlanCarrier>.Instance)));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, RuleCarrier>(provider => new RuleCarrier(
            connection(provider),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetService<ILogger<RuleCarrier>>() ?? NullLogger<RuleCarrier>.Instance)));
        return services;
    }
}
