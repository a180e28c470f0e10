namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>What became of a cancel, as the counter's label says it.</summary>
internal static class CancelOutcome
{
    public const string Recorded = "recorded";
    public const string Dropped = "dropped";
    public const string Twice = "twice";
    public const string Late = "late";
    public const string Unknown = "unknown";
}
