namespace Retry.Messaging.RabbitMq.Telemetry;

/// <summary>The values of the label <c>outcome</c>.</summary>
internal static class AttemptOutcome
{
    public const string Done = "done";
    public const string Retried = "retried";
    public const string Parked = "parked";
    public const string Dropped = "dropped";
}
