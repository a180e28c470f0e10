namespace Retry.Messaging.MassTransit;

/// <summary>What stands in the log, in the history, in the Fault and on the parked message of which a consumer said <c>context.Error(reason)</c>.</summary>
/// <remarks>It is not thrown.</remarks>
public sealed class ErrorSaidException : Exception
{
    internal ErrorSaidException(string reason)
        : base(reason)
    {
    }
}
