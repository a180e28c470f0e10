using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What one instance of a limiter does.</summary>
/// <param name="Point">The work queue.</param>
/// <param name="Activity">What it does.</param>
/// <param name="Since">Since when.</param>
/// <param name="Reason">Why it is down or waits; null when nothing is wrong.</param>
/// <param name="Limit">The rate in force; null for any rate.</param>
/// <param name="Released">Messages that it moved to the work queue.</param>
internal sealed record LimiterStatus(string Point, LimiterActivity Activity, DateTimeOffset Since, string? Reason, RedeliveryLimit? Limit, long Released);
