using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Verification;

/// <summary>The retry points that a broker has, also when the exchanges that lead to them are gone.</summary>
internal static class KnownPoints
{
    /// <summary>Finds the queues that have a parking lot, or a binding that leads back to them from the ladder.</summary>
    /// <param name="facts">What the broker has.</param>
    public static IReadOnlyList<RetryPointNames> Find(BrokerFacts facts)
    {
        var points = facts.Bindings.Where(binding => binding.Source == BrokerNames.ParkingExchange && binding.ToQueue)
            .GroupBy(binding => binding.RoutingKey, StringComparer.Ordinal)
            .Select(lots => RetryPointNames.For(lots.Key) with { Parked = lots.First().Destination })
            .ToDictionary(point => point.Work, StringComparer.Ordinal);
        foreach (var destination in facts.Bindings.Where(IsWayBack).Select(binding => binding.Destination).Where(queue => queue != BrokerNames.ScheduleQueue))
        {
            var isRelease = points.Values.Any(point => point.Release == destination)
                || (destination.EndsWith(BrokerNames.ReleaseSuffix, StringComparison.Ordinal)
                    && facts.Queues.Any(queue => queue.Name == destination[..^BrokerNames.ReleaseSuffix.Length]));
            if (!isRelease)
            {
                points.TryAdd(destination, RetryPointNames.For(destination));
            }
        }

        // an exchange takes its bindings with it when it is deleted: then the queues are all that is left of a point
        var queues = facts.Queues.Select(queue => queue.Name).ToHashSet(StringComparer.Ordinal);
        var bound = points.Values.Select(point => point.Parked).ToHashSet(StringComparer.Ordinal);
        foreach (var lot in facts.Queues.Where(queue => queue.Name.EndsWith(BrokerNames.ParkedSuffix, StringComparison.Ordinal) && !bound.Contains(queue.Name)))
        {
            var work = lot.Name[..^BrokerNames.ParkedSuffix.Length];
            if (queues.Contains(work) && (IsOurs(lot) || !HasWayBack(facts)))
            {
                points.TryAdd(work, RetryPointNames.For(work));
            }
        }

        return [.. points.Values.OrderBy(point => point.Work, StringComparer.Ordinal)];
    }

    /// <summary>Whether a binding leads from the ladder to a queue of a retry point.</summary>
    public static bool IsWayBack(BindingFact binding) =>
        binding.Source == BrokerNames.ReturnExchange && binding.ToQueue && binding.RoutingKey == BrokerNames.ReturnPattern(binding.Destination);

    // other people's queues may be called something.parked, too, but hardly with this limit
    private static bool IsOurs(QueueFact lot) =>
        EffectiveSettings.Number(lot.Arguments.GetValueOrDefault(TopologyPlan.DeliveryLimit)) == TopologyPlan.UnlimitedDeliveries;

    private static bool HasWayBack(BrokerFacts facts) =>
        facts.Exchanges.Any(exchange => exchange.Name is BrokerNames.ParkingExchange or BrokerNames.ReturnExchange);
}
