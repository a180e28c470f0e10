using Retry.Messaging.RabbitMq.Limiter.Pacing;

namespace Retry.Messaging.RabbitMq.Limiter.Gates;

/// <summary>Closed until the next message is due at the point's rate.</summary>
/// <remarks>It opens <see cref="FineDelay.Last"/> early: the publisher waits for the rest itself.</remarks>
internal sealed class PaceGate(RedeliveryPacer pacer) : IReleaseGate
{
    public ValueTask<GateAnswer> AskAsync(CancellationToken cancellationToken) =>
        new(pacer.Wait() is var wait && wait > FineDelay.Last ? GateAnswer.Closed(wait) : GateAnswer.Open);
}
