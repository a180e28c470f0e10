using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>A service in MassTransit's test harness, as a user of the library would test it.</summary>
public sealed class HarnessService : IAsyncDisposable
{
    private readonly ServiceProvider _provider;
    private readonly FaultObserver _faults = new();

    private HarnessService(ServiceProvider provider)
    {
        _provider = provider;
        Harness = provider.GetRequiredService<ITestHarness>();
        Harness.TestInactivityTimeout = TimeSpan.FromSeconds(20); // a deadline, not a pause: what is waited for ends the wait
    }

    public ITestHarness Harness { get; }

    public IBus Bus => Harness.Bus;

    /// <summary>The Faults published so far; final after <see cref="StopAsync"/>.</summary>
    public IReadOnlyList<object> Faults => [.. _faults.Published];

    public static async Task<HarnessService> StartAsync(
        Action<IBusRegistrationConfigurator> register,
        Action<IBusRegistrationContext, IInMemoryBusFactoryConfigurator>? configure,
        Action<IServiceCollection> services,
        bool endpoints = true)
    {
        var collection = new ServiceCollection();
        services(collection);
        collection.AddMassTransitTestHarness(x =>
        {
            register(x);
            x.UsingInMemory((context, cfg) =>
            {
                configure?.Invoke(context, cfg);
                if (endpoints)
                {
                    cfg.ConfigureEndpoints(context);
                }
            });
        });
        var service = new HarnessService(collection.BuildServiceProvider(validateScopes: true));
        await service.Harness.Start();
        service.Bus.ConnectPublishObserver(service._faults);
        return service;
    }

    /// <summary>Stops the bus, which finishes what it has begun.</summary>
    public Task StopAsync() => _provider.GetRequiredService<IBusControl>().StopAsync(TimeSpan.FromSeconds(20));

    /// <summary>Stops the bus, then lets the services go.</summary>
    /// <remarks>
    /// In this order: a saga that is still at work when its services are gone fails and is retried for as long as its own
    /// policy says, 90 s for those of the job service, and the bus waits for it.
    /// </remarks>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _provider.DisposeAsync();
    }

    private sealed class FaultObserver : IPublishObserver
    {
        public ConcurrentQueue<object> Published { get; } = new();

        public Task PrePublish<T>(PublishContext<T> context)
            where T : class => Task.CompletedTask;

        public Task PostPublish<T>(PublishContext<T> context)
            where T : class
        {
            if (context.Message is Fault)
            {
                Published.Enqueue(context.Message);
            }

            return Task.CompletedTask;
        }

        public Task PublishFault<T>(PublishContext<T> context, Exception exception)
            where T : class => Task.CompletedTask;
    }
}
