using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Retry.Messaging.RabbitMq.Limiter;

namespace Retry.Messaging.MassTransit.Transports;

/// <summary>Degraded while a limited point of this process has no limiter: nothing of it is redelivered.</summary>
internal sealed class LimiterHealthCheck : IHealthCheck
{
    /// <summary>The name under which it is registered.</summary>
    public const string Name = "gradient-retry-limiter";

    private readonly ConcurrentBag<PointLimiter> _limiters = [];

    public void Add(PointLimiter limiter) => _limiters.Add(limiter);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        List<LimiterStatus> all = [.. _limiters.Select(limiter => limiter.Status).OfType<LimiterStatus>()];
        var data = all.ToDictionary(status => status.Point, object (status) => $"{status.Activity} since {status.Since:u}{(status.Reason is { } reason ? $": {reason}" : string.Empty)}");
        var down = all.FirstOrDefault(status => status.Activity == LimiterActivity.Down);
        return Task.FromResult(down is null
            ? HealthCheckResult.Healthy(data: data)
            : HealthCheckResult.Degraded($"Queue '{down.Point}' has no limiter in this process: {down.Reason}", data: data));
    }
}
