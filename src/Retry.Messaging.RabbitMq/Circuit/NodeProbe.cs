namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>One message with which a process that is set apart tries itself.</summary>
internal sealed class NodeProbe
{
    /// <summary>Gets or sets the tag of its delivery; 0 until it has come.</summary>
    public ulong Tag { get; set; }

    /// <summary>Gets or sets what became of it; <see langword="null"/> where it did not come to be consumed.</summary>
    public PermitUse? Use { get; set; }
}
