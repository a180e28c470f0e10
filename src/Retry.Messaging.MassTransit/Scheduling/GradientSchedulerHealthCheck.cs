using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Degraded while the dispatcher of a bus of this process has no connection, holds messages and does not get on, or does not know what is cancelled. Never unhealthy.</summary>
internal sealed class GradientSchedulerHealthCheck : IHealthCheck
{
    /// <summary>The name under which it is registered.</summary>
    public const string Name = "gradient-scheduler";

    private readonly ConcurrentDictionary<BusScheduler, bool> _schedulers = new();

    public void Add(BusScheduler scheduler) => _schedulers[scheduler] = true;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var troubles = _schedulers.Keys.Select(scheduler => scheduler.Trouble).OfType<string>().Order(StringComparer.Ordinal).ToList();
        return Task.FromResult(troubles.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded(string.Join(' ', troubles)));
    }
}
