using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Endpoints;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Puts together what operators see of a retry point, and may change.</summary>
internal static class PointControl
{
    /// <summary>Has the deliveries of a point wait while its target is ill.</summary>
    public static CircuitGate Gate(RetryPoint point, PointHealth health, PointTimes times, TimeProvider time, ILoggerFactory logging) => new(
        new PointCircuit(point.Queue, () => point.Rules, health, time, logging.CreateLogger<PointCircuit>()),
        () => point.Rules,
        () => times.Hold.Limit,
        time);

    /// <summary>Puts it together: each change of its policy is said by its instance.</summary>
    public static ControlledPoint Of(
        RetryPoint point,
        CompiledSettings started,
        Func<RetryPointSettings?, CompiledSettings> compile,
        Func<LivePolicy, PointDescription> describe,
        InstanceWatch instances,
        PointTelemetry telemetry,
        ILoggerFactory logging)
    {
        var circuit = point.Gate!.Circuit;
        var policy = new LivePolicy(point, compile, started, telemetry.Health, logging.CreateLogger<LivePolicy>());
        var description = describe(policy);
        circuit.Own.Changed = () => _ = instances.ChangeAsync(description.Now());
        policy.Changed = () =>
        {
            circuit.Free();
            _ = instances.ChangeAsync(description.Now());
        };
        return new ControlledPoint(telemetry, [policy, point.Released, circuit, circuit.Own], circuit, description.Now);
    }
}
