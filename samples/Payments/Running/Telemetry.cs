using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Retry.Messaging.Naming;

namespace Payments.Running;

/// <summary>Metrics and traces over OTLP, when somebody says where to.</summary>
internal sealed class Telemetry : IDisposable
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string MassTransit = "MassTransit";

    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    private Telemetry(string role)
    {
        var resource = ResourceBuilder.CreateDefault().AddService("payments-" + role);
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(TelemetryNames.Meter, MassTransit)
            .AddOtlpExporter()
            .Build();
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(TelemetryNames.ActivitySource, MassTransit)
            .AddOtlpExporter()
            .Build();
    }

    /// <summary>Exports what a role measures until disposed of, where the standard variable names an endpoint; else nothing is loaded and nothing listens.</summary>
    public static Telemetry? Start(string role) =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable)) ? null : new Telemetry(role);

    public void Dispose()
    {
        _traces.Dispose();
        _metrics.Dispose();
    }
}
