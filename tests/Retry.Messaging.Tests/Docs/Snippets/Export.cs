using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Retry.Messaging.Naming;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class Export
{
    public static void Register(Microsoft.Extensions.Hosting.HostApplicationBuilder builder)
    {
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter(TelemetryNames.Meter, "MassTransit").AddOtlpExporter())
            .WithTracing(traces => traces.AddSource(TelemetryNames.ActivitySource, "MassTransit").AddOtlpExporter());
    }
}
