using Retry.Messaging.RabbitMq.Circuit;

namespace Retry.Messaging.RabbitMq.Limiter.Gates;

/// <summary>Closed while the circuit of the point is open, but for one message in each interval: where nothing else waits, it is the next probe.</summary>
/// <param name="circuit">The circuit; <see langword="null"/> where nothing was ever said of it.</param>
/// <param name="time">The clock.</param>
internal sealed class TargetGate(Func<CircuitDocument?> circuit, TimeProvider time) : IReleaseGate
{
    private static readonly TimeSpan AskAfter = TimeSpan.FromMilliseconds(200);

    private long _passedAt;

    /// <summary>Notes that a message was released.</summary>
    public void Passed() => _passedAt = time.GetTimestamp();

    /// <inheritdoc/>
    public ValueTask<GateAnswer> AskAsync(CancellationToken cancellationToken) => new(
        circuit() is not { HoldsBack: true } document || (document.Interval is { } interval && time.GetElapsedTime(_passedAt) >= interval)
            ? GateAnswer.Open
            : GateAnswer.Closed(AskAfter, $"the circuit is open: {document.Why}"));
}
