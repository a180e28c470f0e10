namespace Retry.Messaging.RabbitMq.Limiter.Gates;

/// <summary>Closed while the broker takes no publishes, because it is short of memory or disk space.</summary>
/// <param name="alarm">The alarm, in the broker's words; <see langword="null"/> when there is none.</param>
internal sealed class BrokerAlarmGate(Func<string?> alarm) : IReleaseGate
{
    // the end of an alarm wakes the limiter
    private static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(1);

    public ValueTask<GateAnswer> AskAsync(CancellationToken cancellationToken) =>
        new(alarm() is { } reason ? GateAnswer.Closed(AskAfter, $"the broker takes no publishes: {reason}") : GateAnswer.Open);
}
