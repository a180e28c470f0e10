using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Holding;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What a session has of its connection, which is its own: when one ends, so does the other.</summary>
/// <remarks>Behind it a test puts queues and streams in memory.</remarks>
internal interface ILimiterConnection : IReleaseLine
{
    /// <summary>Gets what looks for queues.</summary>
    PassiveLook Look { get; }

    /// <summary>Gets what wakes the session's loop. The connection does so when it ends, and when an alarm is over.</summary>
    WakeUp WakeUp { get; }

    /// <summary>Opens the channel that messages come by and leave on; it ends with the session, and the session with it.</summary>
    Task<IChannel> OpenChannelAsync(HoldTime hold, CancellationToken cancellationToken);

    /// <summary>Opens a stream, which ends with the connection.</summary>
    IRecordStream OpenStream(string name, StreamRetention retention);

    /// <summary>Notes that the session cannot go on.</summary>
    Task EndAsync(string reason);
}
