using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What an instance says of itself when it starts and when it becomes the active one.</summary>
/// <param name="Point">The work queue.</param>
/// <param name="Instance">Host and process.</param>
/// <param name="Active">Whether it was given a message.</param>
/// <param name="CodeLimit">The rate that its code asks for.</param>
/// <param name="At">When.</param>
public sealed record LimiterNode(string Point, string Instance, bool Active, RedeliveryLimit? CodeLimit, DateTimeOffset At);
