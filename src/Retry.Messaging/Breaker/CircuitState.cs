namespace Retry.Messaging.Breaker;

/// <summary>What the circuit between a point and its target lets through.</summary>
internal enum CircuitState
{
    /// <summary>Everything.</summary>
    Closed,

    /// <summary>One message of the whole cluster in an interval: a probe.</summary>
    Open,

    /// <summary>A few, and twice as many after each step that went well.</summary>
    HalfOpen,

    /// <summary>So many a second, and twice as many in each second.</summary>
    Closing,
}
