namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>How a message went up the ladder again.</summary>
/// <param name="Delay">The delay of its route.</param>
/// <param name="At">When it was sent.</param>
internal sealed record LimitedClimb(TimeSpan Delay, DateTimeOffset At);
