using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Reads the plans of a virtual host. It writes nothing and declares nothing.</summary>
internal sealed class PlansReader(IConnection connection, TimeProvider time)
{
    /// <summary>Reads all plans that are open, and the last of those that ended.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The open ones first, then the last that ended.</returns>
    /// <exception cref="ParkingException">They cannot be read.</exception>
    public async Task<IReadOnlyList<PlanSummary>> ReadAsync(CancellationToken cancellationToken)
    {
        var log = await PlanLog.OpenAsync(connection, declare: false, time, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        return await ReadAsync(log, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads them from a log that is open.</summary>
    /// <inheritdoc cref="ReadAsync(CancellationToken)"/>
    public async Task<IReadOnlyList<PlanSummary>> ReadAsync(PlanLog log, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var looks = look.ConfigureAwait(false);
        var plans = new List<PlanSummary>();
        foreach (var plan in log.Books.SelectMany(book => book.Plans))
        {
            plans.Add(new PlanSummary(plan, plan.State switch
            {
                PlanState.Done => PlanProgress.Done,
                PlanState.Cancelled => PlanProgress.Cancelled,
                _ when await LotLock.IsTakenAsync(look, plan.Queue, cancellationToken).ConfigureAwait(false) => PlanProgress.Running,
                PlanState.Stopped => PlanProgress.Stopped,
                _ => PlanProgress.CutOff,
            }));
        }

        return [.. plans.OrderBy(plan => plan.Plan.IsOver).ThenByDescending(plan => plan.Plan.RunAt)];
    }

    /// <summary>How many services are there that carry out what is detached.</summary>
    public async Task<uint> CarriersAsync(CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var looks = look.ConfigureAwait(false);
        return (await look.FindQueueAsync(BrokerNames.PlanCarriers, cancellationToken).ConfigureAwait(false))?.ConsumerCount ?? 0;
    }

    /// <summary>Finds a plan by its id, or by the beginning of one that no other has.</summary>
    /// <exception cref="ParkingException">There is none, or there are several.</exception>
    public async Task<PlanSummary> FindAsync(string id, CancellationToken cancellationToken)
    {
        var plans = await ReadAsync(cancellationToken).ConfigureAwait(false);
        var found = plans.Where(plan => plan.Plan.Id == id).DefaultIfEmpty().Take(1).OfType<PlanSummary>().ToList();
        if (found.Count == 0)
        {
            found = [.. plans.Where(plan => plan.Plan.Id.StartsWith(id, StringComparison.Ordinal))];
        }

        return found switch
        {
            [var one] => one,
            [] => throw new ParkingException($"Found no plan '{id}', wanted the id of one that 'retryctl plans list' shows.") { IsUnknownQueue = true },
            _ => throw new ParkingException($"Found {found.Count} plans that begin with '{id}', wanted more of its id.") { IsUnknownQueue = true },
        };
    }
}
