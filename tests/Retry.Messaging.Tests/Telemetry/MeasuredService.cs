using System.Diagnostics.Metrics;
using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Tests.MassTransit;

namespace Retry.Messaging.Tests.Telemetry;

/// <summary>A service in the test harness whose metrics somebody listens to.</summary>
internal sealed class MeasuredService : IAsyncDisposable
{
    private readonly HarnessService _service;
    private readonly ServiceProvider _meters;

    private MeasuredService(HarnessService service, ServiceProvider meters, CollectedMetrics metrics)
    {
        _service = service;
        _meters = meters;
        Metrics = metrics;
    }

    public CollectedMetrics Metrics { get; }

    public IBus Bus => _service.Bus;

    public ITestHarness Harness => _service.Harness;

    public static async Task<MeasuredService> StartAsync(Action<IBusRegistrationConfigurator> register, Action<IServiceCollection> services)
    {
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var factory = meters.GetRequiredService<IMeterFactory>();
        var metrics = new CollectedMetrics(factory);
        var service = await HarnessService.StartAsync(register, null, collection =>
        {
            collection.AddSingleton(factory);
            services(collection);
        });
        return new MeasuredService(service, meters, metrics);
    }

    public Task StopAsync() => _service.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        Metrics.Dispose();
        await _meters.DisposeAsync();
    }
}
