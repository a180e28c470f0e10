using Retry.Messaging.Configuration;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What the code of a point's services says of its limit, as the last instance to start found it there.</summary>
/// <remarks>For processes without that code: <c>retryctl</c>, and a limiter that runs as a process of its own.</remarks>
/// <param name="Point">The work queue.</param>
/// <param name="Limit">The rate; null where the code says that there is none.</param>
public sealed record LimiterCode(string Point, RedeliveryLimit? Limit)
{
    /// <summary>Gets the retry budget; null where the code says that there is none.</summary>
    public RetryBudget? Budget { get; init; }
}
