namespace Retry.Messaging.RabbitMq.Limiter.Gates;

/// <summary>Closed while as many releases are unconfirmed as may come twice when the limiter's process is killed.</summary>
/// <param name="unconfirmed">How many releases the broker has not answered yet.</param>
/// <param name="window">How many there may be.</param>
internal sealed class WindowGate(Func<int> unconfirmed, Func<int> window) : IReleaseGate
{
    // an answer wakes the limiter
    private static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(1);

    public ValueTask<GateAnswer> AskAsync(CancellationToken cancellationToken) =>
        new(unconfirmed() < window() ? GateAnswer.Open : GateAnswer.Closed(AskAfter));
}
