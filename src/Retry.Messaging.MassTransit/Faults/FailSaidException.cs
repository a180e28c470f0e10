namespace Retry.Messaging.MassTransit;

/// <summary>What stands in the log, in the Fault and on the parked message of which a consumer said <c>context.Fail(reason)</c>.</summary>
/// <remarks>It is not thrown.</remarks>
public sealed class FailSaidException : Exception
{
    internal FailSaidException(string reason)
        : base(reason)
    {
    }
}
