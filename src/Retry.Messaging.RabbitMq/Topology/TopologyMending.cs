using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>Declares again what is missing, in the order in which nothing goes astray.</summary>
internal static class TopologyMending
{
    /// <summary>Whether the ladder stays as it is for now: none of its exchanges is there but some of its rungs, and the grace is not over.</summary>
    public static bool MustWait(TopologyPlan missing, TimeSpan gone, TimeSpan grace)
    {
        var exchanges = missing.Exchanges.Select(exchange => exchange.Name).ToHashSet();
        var queues = missing.Queues.Select(queue => queue.Name).ToHashSet();
        return gone < grace
            && DelayLadder.Levels.All(level => exchanges.Contains(BrokerNames.LevelExchange(level)))
            && !TopologyPlan.Ladder.Queues.All(queue => queues.Contains(queue.Name));
    }

    /// <summary>Declares what may be declared now: first the way back to the queues, then the points, then the ladder from the foot up.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="missing">What is missing.</param>
    /// <param name="points">The points to declare.</param>
    /// <param name="ladder">Whether the ladder is declared.</param>
    /// <returns>What the broker did not like.</returns>
    public static async Task<IReadOnlyList<TopologyException>> MendAsync(
        IConnection connection,
        TopologyPlan missing,
        IEnumerable<TopologyPlan> points,
        bool ladder)
    {
        var refusals = new List<TopologyException>();
        if (missing.Exchanges.Count > 0)
        {
            await DeclareAsync(TopologyPlan.WayBack).ConfigureAwait(false);
        }

        var queues = missing.Queues.Select(queue => queue.Name).ToHashSet();
        foreach (var point in points)
        {
            await DeclareAsync(point with { Queues = [.. point.Queues.Where(queue => queues.Contains(queue.Name))] }).ConfigureAwait(false);
        }

        if (ladder)
        {
            await DeclareAsync(TopologyPlan.Ladder).ConfigureAwait(false);
        }

        return refusals;

        async Task DeclareAsync(TopologyPlan plan)
        {
            try
            {
                refusals.AddRange(await TopologyDeclarer.DeclareAsync(connection, plan).ConfigureAwait(false));
            }
            catch (TopologyException exception) when (exception.NeedsWhatIsMissing)
            {
                // a work queue is not there yet: its endpoint declares it, then the point
            }
            catch (TopologyException exception)
            {
                refusals.Add(exception);
            }
        }
    }
}
