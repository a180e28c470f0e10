namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>How a delivery passes the circuit of its point.</summary>
/// <param name="IsAside">Whether it has waited for too long, and makes room for another.</param>
/// <param name="Permit">What it begins with; <see langword="null"/> where it needs none.</param>
internal readonly record struct Passage(bool IsAside, Permit? Permit)
{
    /// <summary>It begins.</summary>
    public static readonly Passage Free = new(false, null);

    /// <summary>It makes room.</summary>
    public static readonly Passage Aside = new(true, null);
}
