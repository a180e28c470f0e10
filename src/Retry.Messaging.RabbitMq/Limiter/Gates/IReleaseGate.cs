namespace Retry.Messaging.RabbitMq.Limiter.Gates;

/// <summary>One condition for a release. The limiter releases a message when all its gates are open, and asks them in a fixed order.</summary>
internal interface IReleaseGate
{
    /// <summary>Tells whether the next message may be released, as far as this gate is concerned.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<GateAnswer> AskAsync(CancellationToken cancellationToken);
}
