using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Retry.Messaging.Naming;
using Retry.Messaging.Testing;
using Retry.Messaging.Testing.Containers;

namespace Retry.Messaging.Tests.Docs;

/// <summary>Every C# block of the documentation, word for word, so that the compiler reads it too.</summary>
internal static class DocumentationSnippets
{
    public static void Register(HostApplicationBuilder builder)
    {
        builder.Services.AddMassTransit(x =>
        {
            x.AddConsumer<ChargeConsumer>();
            x.AddGradientRetry();                 // every durable endpoint is a retry point now
            x.UsingRabbitMq((context, cfg) =>
            {
                cfg.Host("localhost");
                cfg.ConfigureEndpoints(context);
            });
        });
    }

    public static void Wait(HostApplicationBuilder builder)
    {
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(options => options.WaitUntilStarted = true);
    }

    public static void Configure(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator cfg)
    {
        cfg.ReceiveEndpoint("payments", e =>
        {
            e.UseGradientRetry(context, retry =>
            {
                retry.Exponential(first: TimeSpan.FromSeconds(5), factor: 3, max: TimeSpan.FromHours(1)).Retries(8);
                retry.ValidFor(TimeSpan.FromHours(24));
                retry.Fail<CardDeclinedException>();
                retry.For<GatewayBusyException>(busy => busy.Intervals("30s", "2m", "10m"));
            });
            e.ConfigureConsumer<ChargeConsumer>(context);
        });
    }

    public static async Task Test()
    {
        await using var provider = new ServiceCollection()
            .AddMassTransitTestHarness(x =>
            {
                x.AddConsumer<ChargeConsumer>();
                x.AddGradientRetry(retry => retry.Fixed(TimeSpan.FromMinutes(5)).Retries(8));
            })
            .BuildServiceProvider(true);
        var harness = provider.GetRequiredService<ITestHarness>();
        harness.SkipRetryDelays();
        await harness.Start();

        await harness.Bus.Publish(new ChargeRequested("p-1", 12.50m));

        await harness.Published.Any<Fault<ChargeRequested>>();
        var parked = harness.GetParked();
        _ = parked;
    }

    public static async Task StartBroker()
    {
        await using var broker = await PrivateBroker.StartAsync(new PrivateBrokerOptions { Sources = { new RabbitMqContainerSource() } });
        _ = broker;
    }

    public static async Task Export(IHost host)
    {
        using var metrics = Sdk.CreateMeterProviderBuilder()
            .AddMeter(TelemetryNames.Meter, "MassTransit")
            .AddOtlpExporter()
            .Build();
        using var traces = Sdk.CreateTracerProviderBuilder()
            .AddSource(TelemetryNames.ActivitySource, "MassTransit")
            .AddOtlpExporter()
            .Build();
        await host.RunAsync();
    }

    internal sealed record ChargeRequested(string PaymentId, decimal Amount);

    internal sealed class ChargeConsumer : IConsumer<ChargeRequested>
    {
        public Task Consume(ConsumeContext<ChargeRequested> context) => throw new GatewayBusyException();
    }

    private sealed class CardDeclinedException : Exception;

    private sealed class GatewayBusyException : Exception;
}
