using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>What operators see of a retry point, and may change.</summary>
/// <param name="Telemetry">What it counts.</param>
/// <param name="Targets">What documents of the control log change.</param>
/// <param name="Circuit">The circuit between it and its target.</param>
/// <param name="Describe">Says what its instance says of it.</param>
internal sealed record ControlledPoint(
    PointTelemetry Telemetry,
    IReadOnlyList<IControlTarget> Targets,
    PointCircuit Circuit,
    Func<ServedPoint> Describe);
