namespace Retry.Messaging.Operations.Plans;

/// <summary>How far a plan has come.</summary>
internal enum PlanState
{
    /// <summary>Its set is being written down; nothing was moved.</summary>
    Preparing,

    /// <summary>It was begun. Whether somebody works on it, the lock of its lot tells: a plan that was killed says nothing.</summary>
    Running,

    /// <summary>It was ended in good order before its end: nothing is on its way.</summary>
    Stopped,

    /// <summary>All of it was moved.</summary>
    Done,

    /// <summary>The rest was given up.</summary>
    Cancelled,
}
