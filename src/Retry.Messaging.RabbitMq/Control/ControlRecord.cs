namespace Retry.Messaging.RabbitMq.Control;

/// <summary>A document in the control log: one whole setting of one kind for one key.</summary>
/// <param name="Kind">What it is, for example <c>retry.limiter.setting</c>. The class that writes a kind also reads it.</param>
/// <param name="Key">What it is for, as a rule the name of a work queue.</param>
/// <param name="Version">One higher than the version that the writer had read; 1 for the first.</param>
/// <param name="Body">The document, JSON. The log does not look into it.</param>
internal sealed record ControlRecord(string Kind, string Key, long Version, ReadOnlyMemory<byte> Body)
{
    /// <summary>Gets who wrote it, for people.</summary>
    public string By { get; init; } = string.Empty;

    /// <summary>Gets when it was written, by the writer's clock, for people.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Gets the id by which a writer knows its own record again.</summary>
    public string Id { get; init; } = Guid.NewGuid().ToString("N");

    /// <summary>Gets a value indicating whether an older record is written again, word for word, before retention can reach it.</summary>
    public bool IsRepeat { get; init; }
}
