namespace Retry.Messaging.RabbitMq;

/// <summary>The headers of MassTransit that tell something about a parked message.</summary>
internal static class MassTransitHeaderNames
{
    /// <summary>What everything about a fault starts with.</summary>
    public const string FaultPrefix = "MT-Fault-";

    public const string ExceptionType = FaultPrefix + "ExceptionType";
    public const string ExceptionMessage = FaultPrefix + "Message";
    public const string FaultedMessageType = FaultPrefix + "MessageType";
    public const string StackTrace = FaultPrefix + "StackTrace";
    public const string Timestamp = FaultPrefix + "Timestamp";

    /// <summary>The address of the endpoint that the message failed in.</summary>
    public const string InputAddress = FaultPrefix + "InputAddress";

    /// <summary>How often <c>UseMessageRetry</c> had tried again.</summary>
    public const string RetryCount = FaultPrefix + "RetryCount";

    /// <summary>What everything about the process that moved the message starts with.</summary>
    public const string HostPrefix = "MT-Host-";
    public const string Reason = "MT-Reason";
    public const string RedeliveryCount = "MT-Redelivery-Count";

    /// <summary>The trace that a delivery belongs to, as W3C writes it.</summary>
    public const string ActivityId = "MT-Activity-Id";

    /// <summary>The types of a message that has no envelope.</summary>
    public const string RawMessageType = "MT-MessageType";
}
