namespace Retry.Messaging.MassTransit.Faults;

/// <summary>Stands for a message that failed before a consumer took it as a type.</summary>
internal sealed class UnroutedMessage
{
    public static readonly UnroutedMessage Instance = new();
}
