namespace Retry.Messaging.Operations.Plans;

/// <summary>What a plan does with its messages.</summary>
internal enum PlanAction
{
    /// <summary>Sends them back to work.</summary>
    Replay,

    /// <summary>Deletes them.</summary>
    Discard,

    /// <summary>Moves them out of the way.</summary>
    Archive,

    /// <summary>Moves them back into the parking lot.</summary>
    Restore,

    /// <summary>Moves them out of an error queue of another library into the parking lot.</summary>
    Adopt,
}
