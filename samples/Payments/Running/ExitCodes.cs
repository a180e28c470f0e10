namespace Payments.Running;

/// <summary>What the sample's process ends with.</summary>
internal static class ExitCodes
{
    /// <summary>Every payment is done or parked.</summary>
    public const int AllAccountedFor = 0;

    /// <summary>Payments are lost, or still waiting.</summary>
    public const int Missing = 1;

    /// <summary>The run could not be carried out.</summary>
    public const int CouldNotRun = 2;

    /// <summary>Stopped from outside.</summary>
    public const int Interrupted = 130;
}
