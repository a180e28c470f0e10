namespace Retry.Messaging.Naming;

/// <summary>The one home of the names by which the library is observed: meter and activity source, instruments, labels and span attributes.</summary>
public static class TelemetryNames
{
    /// <summary>The meter, for OpenTelemetry's <c>AddMeter</c>.</summary>
    public const string Meter = "Retry.Messaging";

    /// <summary>The activity source, for OpenTelemetry's <c>AddSource</c>.</summary>
    public const string ActivitySource = "Retry.Messaging";

    internal const string Attempts = "retry.attempts";
    internal const string Retries = "retry.retries";
    internal const string Parked = "retry.parked";
    internal const string Dropped = "retry.dropped";
    internal const string Early = "retry.early";
    internal const string Crashes = "retry.crashes";
    internal const string Idempotency = "retry.idempotency";
    internal const string ScheduleCancels = "retry.schedule.cancels";
    internal const string Held = "retry.held";
    internal const string CircuitState = "retry.circuit.state";
    internal const string CircuitWaiting = "retry.circuit.waiting";
    internal const string CircuitApart = "retry.circuit.apart";
    internal const string Delay = "retry.delay";
    internal const string Lateness = "retry.lateness";
    internal const string ConfirmDuration = "retry.confirm.duration";
    internal const string ScheduleScheduled = "retry.schedule.scheduled";
    internal const string ScheduleDispatched = "retry.schedule.dispatched";
    internal const string ScheduleLateness = "retry.schedule.lateness";
    internal const string ScheduleActive = "retry.schedule.active";
    internal const string LimiterReleased = "retry.limiter.released";
    internal const string LimiterActive = "retry.limiter.active";
    internal const string LimiterActiveSince = "retry.limiter.active_since";
    internal const string LimiterCap = "retry.limiter.cap";
    internal const string LimiterWaiting = "retry.limiter.waiting";
    internal const string LimiterBudget = "retry.limiter.budget";
    internal const string LimiterOldestAge = "retry.limiter.oldest_age";

    /// <summary>Labels of instruments. Each has few values: a message's id or an error's text is none.</summary>
    internal static class Labels
    {
        public const string Cluster = "cluster";
        public const string VirtualHost = "vhost";
        public const string Point = "point";
        public const string Outcome = "outcome";
        public const string Reason = "reason";
        public const string ErrorType = "error.type";
    }

    /// <summary>Attributes of spans; those of OpenTelemetry where it has one.</summary>
    internal static class Attributes
    {
        public const string System = "messaging.system";
        public const string OperationName = "messaging.operation.name";
        public const string OperationType = "messaging.operation.type";
        public const string Destination = "messaging.destination.name";
        public const string RoutingKey = "messaging.rabbitmq.destination.routing_key";
        public const string ExceptionType = "exception.type";
        public const string ErrorType = "error.type";
        public const string Id = "retry.id";
        public const string Attempt = "retry.attempt";
        public const string Delay = "retry.delay";
        public const string Entry = "retry.entry";
        public const string Reason = "retry.reason";
        public const string Plan = "retry.plan";
        public const string Replayed = "retry.replayed";
    }
}
