namespace Retry.Messaging.Operations.Points;

/// <summary>What a point's limiter does.</summary>
internal enum PointLimiterState
{
    /// <summary>The point has no release queue, so its redeliveries go straight to the work queue.</summary>
    None,

    /// <summary>A limiter consumes the release queue.</summary>
    Active,

    /// <summary>An operator has paused it.</summary>
    Paused,

    /// <summary>No limiter consumes the release queue, so nothing is redelivered.</summary>
    Missing,

    /// <summary>Whether an operator has paused it could not be read.</summary>
    Unknown,
}
