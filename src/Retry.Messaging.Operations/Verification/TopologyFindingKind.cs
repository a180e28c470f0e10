namespace Retry.Messaging.Operations.Verification;

/// <summary>The kinds of findings, worst first: the order in which they are told.</summary>
internal enum TopologyFindingKind
{
    /// <summary>An exchange, a queue or a binding of ours is not there.</summary>
    Missing,

    /// <summary>A destination without a majority, or on a stopped node: it stalls the rungs that its messages are in.</summary>
    Unavailable,

    /// <summary>A policy cuts delays, drops messages or deletes queues.</summary>
    Policy,

    /// <summary>A binding that makes copies, or leads messages astray.</summary>
    ExtraBinding,

    /// <summary>Other properties than planned.</summary>
    Different,

    /// <summary>A feature flag that is needed is off.</summary>
    FeatureFlag,

    /// <summary>A destination that could stall others.</summary>
    CouldStall,

    /// <summary>What the broker itself drops from a work queue is not parked.</summary>
    BrokerParking,

    /// <summary>Fewer replicas than the cluster allows.</summary>
    Replicas,

    /// <summary>Leaders crowd on one node.</summary>
    Leaders,
}
