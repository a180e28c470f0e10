using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>What an outcome needs of the framework that consumed the message.</summary>
internal interface IAttempt : IDisposable
{
    /// <summary>Whether a consumer had the message.</summary>
    bool WasConsumed { get; }

    /// <summary>Notes that the delivery has its outcome: whatever fails afterwards makes no second one.</summary>
    void MarkSettled();

    /// <summary>Tells the framework that the delivery has been dealt with and that nothing more is to be sent.</summary>
    Task NotifyEndedAsync();

    /// <summary>Describes a failure for the headers of a parked message.</summary>
    FaultDetails FaultOf(Exception exception);

    /// <summary>Sends the one Fault of a message that has just been parked, or dropped while its requester waits.</summary>
    /// <param name="exception">What its attempt ended with.</param>
    /// <param name="ended">What the message knows now.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task SendFaultAsync(Exception exception, RetryState ended, CancellationToken cancellationToken);
}
