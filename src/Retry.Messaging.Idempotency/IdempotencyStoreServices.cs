using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Retry.Messaging.Idempotency;

/// <summary>Adds a store to the services of a host: itself, what operators ask, and its pruning.</summary>
internal static class IdempotencyStoreServices
{
    /// <summary>Adds it.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">What the user sets.</param>
    /// <param name="create">Makes the store, with its retention and the host's clock.</param>
    /// <exception cref="ArgumentException">The retention is not more than zero.</exception>
    public static IServiceCollection AddIdempotencyStore<TStore>(
        this IServiceCollection services,
        Action<IdempotencyStoreOptions>? configure,
        Func<TimeSpan, TimeProvider, TStore> create)
        where TStore : class, IIdempotencyStore, IIdempotencyInspector
    {
        var options = new IdempotencyStoreOptions();
        configure?.Invoke(options);
        var retention = options.Retention > TimeSpan.Zero ? options.Retention : throw new ArgumentException(
            $"Found a retention of {options.Retention}, wanted more than zero. Set Retention, for example to TimeSpan.FromDays(7).");
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => create(retention, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IIdempotencyStore>(provider => provider.GetRequiredService<TStore>());
        services.AddSingleton<IIdempotencyInspector>(provider => provider.GetRequiredService<TStore>());
        services.AddHostedService<IdempotencyPruning>();
        return services;
    }
}
