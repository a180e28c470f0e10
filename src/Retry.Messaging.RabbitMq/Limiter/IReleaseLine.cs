using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What the releases of a session leave by: the limiter's connection, down to its socket.</summary>
internal interface IReleaseLine
{
    /// <summary>Gets why nothing more leaves by it, or null.</summary>
    string? Ended { get; }

    /// <summary>Gets what is cancelled then: a publish that the client cannot send any more would wait for ever.</summary>
    CancellationToken Over { get; }

    /// <summary>Gets the alarm for which the broker takes no publishes, or null.</summary>
    string? Blocked { get; }

    /// <summary>Expects the next publish on a channel; asked for before the publish is handed to the client.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="notBefore">When it may leave, a moment ahead at most; in timestamps of the clock.</param>
    /// <returns>The instant after its bytes left, in timestamps of the clock; when the connection ends, the instant of that.</returns>
    Task<long> ExpectAsync(IChannel channel, long notBefore);
}
