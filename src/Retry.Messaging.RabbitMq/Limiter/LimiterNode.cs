using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What an instance says of itself when it starts and when it becomes the active one.</summary>
/// <param name="Point">The work queue.</param>
/// <param name="Instance">Host and process.</param>
/// <param name="Active">Whether it was given a message, or stands in line alone.</param>
/// <param name="CodeLimit">The rate that its code asks for, or that it knows from the code's instances where it has none itself; null for any rate.</param>
/// <param name="At">When.</param>
public sealed record LimiterNode(string Point, string Instance, bool Active, RedeliveryLimit? CodeLimit, DateTimeOffset At)
{
    /// <summary>Gets why it was holding messages back; null when it was not.</summary>
    public string? HeldBack { get; init; }
}
