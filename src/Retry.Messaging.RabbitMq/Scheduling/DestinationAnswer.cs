namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>What a destination did with a message.</summary>
internal enum DestinationAnswer
{
    /// <summary>It has confirmed it, or said that there is no way.</summary>
    Settled,

    /// <summary>It takes nothing at the moment.</summary>
    Refused,

    /// <summary>It has said nothing in time.</summary>
    Silent,
}
