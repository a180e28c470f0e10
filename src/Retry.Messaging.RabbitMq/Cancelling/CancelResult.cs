namespace Retry.Messaging.RabbitMq.Cancelling;

/// <summary>What is known of a token that an operator cancels.</summary>
internal enum CancelResult
{
    /// <summary>Its message is not due yet, and will not be delivered.</summary>
    Cancelled,

    /// <summary>It was cancelled before, and nothing was written.</summary>
    CancelledBefore,

    /// <summary>Its message was due. It is not delivered if it still waits, for example for a queue that refuses it.</summary>
    TooLate,

    /// <summary>The token does not tell when a message is due. What was scheduled with it until now is cancelled, if there is anything.</summary>
    Unknown,
}
