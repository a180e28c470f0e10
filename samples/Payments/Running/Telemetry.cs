using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Retry.Messaging.Naming;

namespace Payments.Running;

/// <summary>Metrics and traces over OTLP, where the standard variable names an endpoint.</summary>
internal static class Telemetry
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string MassTransit = "MassTransit";

    /// <summary>Exports what a role measures as long as its host runs; without an endpoint nothing is loaded and nothing listens.</summary>
    public static void AddTelemetry(this IServiceCollection services, string role)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable)))
        {
            return;
        }

        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("payments-" + role))
            .WithMetrics(metrics => metrics.AddMeter(TelemetryNames.Meter, MassTransit).AddOtlpExporter())
            .WithTracing(traces => traces.AddSource(TelemetryNames.ActivitySource, MassTransit).AddOtlpExporter());
    }
}
