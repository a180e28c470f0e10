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

    /// <summary>What is wrong, by point.</summary>
    public ILookup<string, string> Troubles() =>
        Known().Where(status => status.Activity == LimiterActivity.Down).ToLookup(status => status.Point, status => $"no limiter in this process: {status.Reason}", StringComparer.Ordinal);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // two buses of a process may each have a queue of this name
        var data = Known().GroupBy(status => status.Point, StringComparer.Ordinal).ToDictionary(point => point.Key, object (point) => string.Join("; ", point.Select(Describe)));
        return Task.FromResult(Troubles().FirstOrDefault() is { } down
            ? HealthCheckResult.Degraded($"Queue '{down.Key}': {down.First()}", data: data)
            : HealthCheckResult.Healthy(data: data));
    }

    private List<LimiterStatus> Known() => [.. _limiters.Select(limiter => limiter.Status).OfType<LimiterStatus>()];

    private static string Describe(LimiterStatus status) => $"{status.Activity} since {status.Since:u}{(status.Reason is { } reason ? $": {reason}" : string.Empty)}";
}
