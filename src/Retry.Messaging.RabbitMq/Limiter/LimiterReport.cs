using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>A limited point as it is seen from outside.</summary>
/// <param name="Setting">What an operator set.</param>
/// <param name="Waiting">Messages that wait in the release queue; null when there is no such queue. Up to a prefetch more are held by the
/// active instance.</param>
/// <param name="Limiters">1 where an instance is active, or waits for its first message; 0 means that nothing is released. The broker does
/// not count those that stand by.</param>
/// <param name="Ready">Messages that are ready in the work queue; null when there is no such queue.</param>
/// <param name="Consumers">Consumers of the work queue.</param>
/// <param name="LastActive">The instance that last became the active one; null when none ever did.</param>
/// <param name="LastStarted">What the last instance that stands by said of itself when it started.</param>
/// <param name="Code">What the code of the point's services said last; null when no instance has said anything yet.</param>
public sealed record LimiterReport(
    LimiterSetting Setting,
    long? Waiting,
    long Limiters,
    long? Ready,
    long Consumers,
    LimiterNode? LastActive,
    LimiterNode? LastStarted,
    LimiterCode? Code)
{
    /// <summary>Gets the retry budget in force, as far as it is known; null for none.</summary>
    public RetryBudget? Budget { get; init; }
}
