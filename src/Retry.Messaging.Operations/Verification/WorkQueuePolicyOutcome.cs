namespace Retry.Messaging.Operations.Verification;

/// <summary>What was done about a work queue's policy.</summary>
internal enum WorkQueuePolicyOutcome
{
    /// <summary>Arguments or a policy set all of it already.</summary>
    AlreadyThere,

    /// <summary>The policy was written.</summary>
    Written,

    /// <summary>Another policy applies; nothing was touched, the merged one is for a person to decide on.</summary>
    Merged,

    /// <summary>An argument of the queue or an operator policy wins over every policy; nothing was touched.</summary>
    InTheWay,

    /// <summary>The user may not write it; somebody else can, by the command.</summary>
    NotAllowed,

    /// <summary>There is no such queue yet.</summary>
    NoQueue,
}
