using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Endpoints;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Puts together what operators see of a retry point, and may change.</summary>
internal static class PointControl
{
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
        var policy = new LivePolicy(point, compile, started, telemetry.Health, logging.CreateLogger<LivePolicy>());
        var description = describe(policy);
        policy.Changed = () => _ = instances.ChangeAsync(description.Now());
        return new ControlledPoint(telemetry, [policy, point.Released], description.Now);
    }
}
