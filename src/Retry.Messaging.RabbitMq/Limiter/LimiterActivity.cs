namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What a limiter does at the moment.</summary>
internal enum LimiterActivity
{
    /// <summary>It is not connected, or something it needs is missing: no redelivery.</summary>
    Down,

    /// <summary>Connected; it has not been given a message, because another instance is the active one or none waits.</summary>
    StandingBy,

    /// <summary>The active one.</summary>
    Active,

    /// <summary>An operator paused the point.</summary>
    Paused,
}
