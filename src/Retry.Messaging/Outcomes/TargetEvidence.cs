namespace Retry.Messaging.Outcomes;

/// <summary>What an attempt that ended in ERROR says of the target that it called.</summary>
internal enum TargetEvidence
{
    /// <summary>It is ill.</summary>
    Ill,

    /// <summary>It is there, and wants to be called less often.</summary>
    Slow,

    /// <summary>Nothing: something else failed.</summary>
    None,
}
