using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Strategies;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>What operators see of a retry point, and may change.</summary>
/// <param name="Telemetry">What it counts.</param>
/// <param name="Targets">What operators may set.</param>
/// <param name="Describe">Says what its instance says of it.</param>
internal sealed record ControlledPoint(PointTelemetry Telemetry, IReadOnlyList<IControlTarget> Targets, Func<ServedPoint> Describe);
