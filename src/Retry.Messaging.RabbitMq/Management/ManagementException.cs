namespace Retry.Messaging.RabbitMq.Management;

/// <summary>The management API gave no answer that can be used. The message is one line: found, wanted, next step; never the password.</summary>
internal sealed class ManagementException(string message, ManagementProblem problem, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>What stood in the way.</summary>
    public ManagementProblem Problem => problem;
}
