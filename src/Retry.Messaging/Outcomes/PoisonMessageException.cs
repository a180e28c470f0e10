namespace Retry.Messaging.Outcomes;

/// <summary>What the Fault of a message says that was parked because it is suspected of killing its consumer.</summary>
/// <remarks>It is not thrown: no process that was given the message lived to tell what happened.</remarks>
public sealed class PoisonMessageException : Exception
{
    internal PoisonMessageException(string queue, int crashes)
        : base($"The message came back to queue '{queue}' from {crashes} processes in a row that died, though it had been kept away from all others in between: it is suspected of killing its consumer. Look at it before it is replayed.")
    {
    }
}
