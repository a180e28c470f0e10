namespace Retry.Messaging.Recurring;

/// <summary>What becomes of the slots of a recurring message that nobody could send at their time, because no scheduler ran.</summary>
/// <remarks>A slot counts as missed when it is more than a minute late. What is less late is sent, whatever is chosen here.</remarks>
public enum MissedSlots
{
    /// <summary>One message for all that were missed: for the last of them. The default.</summary>
    Once,

    /// <summary>None is sent; it goes on with the next slot.</summary>
    Skip,

    /// <summary>Each is sent, in order.</summary>
    All,
}
