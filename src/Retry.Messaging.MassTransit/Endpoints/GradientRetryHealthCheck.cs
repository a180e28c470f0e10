using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Retry.Messaging.RabbitMq.Health;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>
/// Degraded while failed messages of this process have nowhere to go: the topology is missing or not as planned, outcomes stay unconfirmed, or
/// a limited point has no limiter. Never unhealthy: messages that do not fail are consumed as ever.
/// </summary>
internal sealed class GradientRetryHealthCheck : IHealthCheck
{
    /// <summary>The name under which it is registered.</summary>
    public const string Name = "gradient-retry";

    private const string Well = "well";

    private readonly ConcurrentDictionary<PointHealth, bool> _points = new();

    public void Add(PointHealth point) => _points[point] = true;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>(StringComparer.Ordinal);
        string? first = null;
        foreach (var point in _points.Keys.OrderBy(point => point.Queue, StringComparer.Ordinal))
        {
            var troubles = point.Troubles();
            var found = troubles.Count == 0 ? Well : string.Join(' ', troubles);
            found = point.Limiter?.Invoke() is { } limiter ? $"{found}, limiter {limiter}" : found;
            found = point.Unchecked is { } notChecked ? $"{found} ({notChecked})" : found;
            // two buses of a process may each have a queue of this name
            data[point.Queue] = data.TryGetValue(point.Queue, out var other) ? $"{other}; {found}" : found;
            first ??= troubles.Count == 0 ? null : $"Queue '{point.Queue}': {troubles[0]}";
        }

        return Task.FromResult(first is null ? HealthCheckResult.Healthy(data: data) : HealthCheckResult.Degraded(first, data: data));
    }
}
