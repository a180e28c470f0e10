namespace Retry.Messaging.Operations.Plans;

/// <summary>What a plan does with its messages.</summary>
internal enum PlanAction
{
    /// <summary>Sends them back to work.</summary>
    Replay,

    /// <summary>Deletes them.</summary>
    Discard,
}
