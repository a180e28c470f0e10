namespace Retry.Messaging.Operations.Plans;

/// <summary>What becomes of a plan at the moment.</summary>
internal enum PlanProgress
{
    /// <summary>Somebody works on it. A process that sleeps does, too, until the broker misses its heartbeats.</summary>
    Running,

    /// <summary>Whoever worked on it was killed, or lost the connection: it waits to be resumed or cancelled.</summary>
    CutOff,

    /// <summary>It was ended in good order before its end: it waits to be resumed or cancelled.</summary>
    Stopped,

    /// <summary>All of it was moved.</summary>
    Done,

    /// <summary>The rest was given up.</summary>
    Cancelled,
}
