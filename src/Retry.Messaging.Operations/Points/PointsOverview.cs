using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Delayed;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.Operations.Verification;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Points;

/// <summary>All retry points of a virtual host at a moment, and what they share.</summary>
/// <param name="Points">The points, by name.</param>
/// <param name="Climbing">Messages on the ladder, of all points together: the rungs are shared, so AMQP cannot tell whose they are.</param>
/// <param name="Lost">Messages whose queue did not exist when they came off the ladder.</param>
internal sealed record PointsOverview(IReadOnlyList<PointSummary> Points, long Climbing, long Lost)
{
    /// <summary>The sums over all points.</summary>
    public PointSummary Total => new("TOTAL")
    {
        Ready = Points.Sum(point => point.Ready),
        Unacknowledged = Points.Sum(point => point.Unacknowledged),
        Consumers = Points.Sum(point => point.Consumers),
        Waiting = Points.Sum(point => point.Waiting),
        Climbing = Points.All(point => point.Climbing is null) ? null : Points.Sum(point => point.Climbing),
        Parked = Points.Sum(point => point.Parked),
    };

    /// <summary>Puts together what was read. Pure.</summary>
    /// <param name="facts">What the broker has; its points are found in it.</param>
    /// <param name="counts">The counts of its queues.</param>
    /// <param name="settings">What operators and code have set, by point; <see langword="null"/> where that could not be read.</param>
    /// <param name="nodes">The instances that have announced themselves; <see langword="null"/> where that could not be read.</param>
    /// <param name="delayed">What waits in delay; <see langword="null"/> where that could not be read.</param>
    /// <param name="plans">The plans of all parking lots; none where they could not be read.</param>
    public static PointsOverview Of(
        BrokerFacts facts,
        IReadOnlyList<QueueCount> counts,
        IReadOnlyDictionary<string, LimiterSettings>? settings,
        IReadOnlyList<NodeSummary>? nodes,
        DelayedOverview? delayed,
        IReadOnlyList<PlanSummary> plans)
    {
        var byName = counts.ToDictionary(count => count.Name, StringComparer.Ordinal);
        return new PointsOverview(
            [
                .. KnownPoints.Find(facts).Select(names => Climbs(Served(Summarize(names, byName, settings), nodes), delayed) with
                {
                    UnfinishedPlan = UnfinishedOf(names.Work, plans),
                }),
            ],
            TopologyPlan.Rungs.Sum(rung => byName.GetValueOrDefault(rung.Name)?.Messages ?? 0),
            byName.GetValueOrDefault(BrokerNames.LostQueue)?.Messages ?? 0);
    }

    private static PointSummary Summarize(
        RetryPointNames names,
        Dictionary<string, QueueCount> counts,
        IReadOnlyDictionary<string, LimiterSettings>? settings)
    {
        var work = counts.GetValueOrDefault(names.Work);
        var release = counts.GetValueOrDefault(names.Release);
        var set = settings?.GetValueOrDefault(names.Work);
        return new PointSummary(names.Work)
        {
            Ready = work?.Ready,
            Unacknowledged = work?.Unacknowledged,
            Consumers = work?.Consumers,
            Waiting = release?.Messages,
            Parked = counts.GetValueOrDefault(names.Parked)?.Messages,
            Limiter = StateOf(release, settings is not null, set),
            PerSecond = release is null ? null : set?.LastReadable.PerSecond ?? set?.Code?.Limit?.PerSecond,
        };
    }

    private static PointSummary Climbs(PointSummary point, DelayedOverview? delayed)
    {
        var known = delayed?.Points.FirstOrDefault(other => other.Queue == point.Queue);
        return delayed is null ? point : point with { Climbing = known?.Waiting ?? 0, ClimbingError = known?.Error ?? 0 };
    }

    // what nobody looks after is gone on with by a service, and what has not begun is forgotten by the next who comes
    private static string? UnfinishedOf(string queue, IReadOnlyList<PlanSummary> plans) => plans.FirstOrDefault(plan =>
        plan.Plan.Queue == queue
        && plan.Plan is { State: not PlanState.Preparing, Terms.IsUnattended: false }
        && plan.Progress is PlanProgress.CutOff or PlanProgress.Stopped)?.Plan.Id;

    private static PointSummary Served(PointSummary point, IReadOnlyList<NodeSummary>? nodes)
    {
        if (nodes is null)
        {
            return point;
        }

        List<NodeSummary> serving = [.. nodes.Where(node => node.IsThere && node.Points.Any(served => served.Queue == point.Queue))];
        return point with
        {
            Nodes = serving.Count,
            Builds = [.. serving.Select(node => node.Facts?.Build).OfType<string>().Distinct().Order(StringComparer.Ordinal)],
        };
    }

    private static PointLimiterState StateOf(QueueCount? release, bool areKnown, LimiterSettings? set) => release switch
    {
        null => PointLimiterState.None,
        { Consumers: > 0 } => PointLimiterState.Active,
        _ when !areKnown || set?.WhyUnreadable is not null => PointLimiterState.Unknown,
        _ when set?.LastReadable.Paused == true => PointLimiterState.Paused,
        _ => PointLimiterState.Missing,
    };
}
