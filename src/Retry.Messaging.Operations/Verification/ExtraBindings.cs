using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Verification;

/// <summary>The bindings of the ladder's exchanges and queues that no plan has.</summary>
internal static class ExtraBindings
{
    /// <summary>Finds the bindings that break the ladder: they make second copies, or lead into it from elsewhere.</summary>
    public static IEnumerable<TopologyFinding> Find(TopologyPlan ladder, BrokerFacts facts)
    {
        var planned = ladder.Bindings.Select(binding => new BindingFact(binding.Source, binding.Destination, binding.ToQueue, binding.RoutingKey)).ToHashSet();
        var ownExchanges = ladder.Exchanges.Select(exchange => exchange.Name).ToHashSet(StringComparer.Ordinal);
        var rungs = ladder.Queues.Select(queue => queue.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var binding in facts.Bindings.Where(binding => !planned.Contains(binding)))
        {
            if (binding.Source == BrokerNames.ReturnExchange)
            {
                if (!KnownPoints.IsWayBack(binding))
                {
                    yield return Extra(
                        binding,
                        binding.ToQueue ? $"only the key '{BrokerNames.ReturnPattern(binding.Destination)}'" : "none, because this exchange leads to queues only");
                }
            }
            else if (binding.Source == BrokerNames.ParkingExchange)
            {
                var lots = facts.Bindings.Where(other => other.Source == binding.Source && other.RoutingKey == binding.RoutingKey).ToList();
                if (lots.Count > 1 && binding.Destination != BrokerNames.ParkedQueue(binding.RoutingKey))
                {
                    yield return Extra(binding, $"one parking lot for '{binding.RoutingKey}'; {lots.Count} get a copy of each message");
                }
            }
            else if (ownExchanges.Contains(binding.Source))
            {
                yield return Extra(binding, "none, because it makes a second copy of each message that it matches");
            }
            else if (binding.Source.Length > 0 && (binding.ToQueue ? rungs.Contains(binding.Destination) : ownExchanges.Contains(binding.Destination)))
            {
                yield return Extra(binding, "none, because only the ladder leads into the ladder");
            }
        }
    }

    private static TopologyFinding Extra(BindingFact binding, string wanted) => new(
        TopologyFindingKind.ExtraBinding,
        $"binding '{binding.Source}' -> '{binding.Destination}'",
        $"the key '{binding.RoutingKey}'",
        wanted,
        "Remove the binding on the exchange's page in the management UI, or by DELETE /api/bindings.");
}
