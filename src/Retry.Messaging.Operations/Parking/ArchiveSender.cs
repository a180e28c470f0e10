using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Parking;

/// <summary>Moves parked messages into their point's archive and back, as they are.</summary>
internal sealed class ArchiveSender(IConnection connection, RetryPointNames names, string plan, TimeProvider time) : IAsyncDisposable
{
    private readonly PlanCopies _copies = new(connection, plan);

    /// <summary>Makes sure that there is a queue to move to, and gives what moves one.</summary>
    /// <exception cref="ParkingException">There is none; nothing was moved.</exception>
    public async Task<Func<LotDelivery, Task<bool>>> PrepareAsync(PlanTerms terms, CancellationToken cancellationToken)
    {
        if (terms.Action == PlanAction.Archive)
        {
            var archive = LotSource.Archive(names).Queue;
            await TopologyDeclarer.DeclareAsync(connection, TopologyPlan.Archive(archive), cancellationToken: cancellationToken).ConfigureAwait(false);
            return delivery => MoveAsync(delivery, string.Empty, archive, archive);
        }

        var lot = await new WayBack(connection, time).FindParkingLotAsync(names, cancellationToken).ConfigureAwait(false)
            ?? throw new ParkingException($"Found no queue '{names.Parked}' to move to; nothing was moved. Start the service that owns it, or run 'retryctl topology apply --point {names.Work}'.") { IsUnknownQueue = true };
        return delivery => MoveAsync(delivery, BrokerNames.ParkingExchange, names.Work, lot);
    }

    public ValueTask DisposeAsync() => _copies.DisposeAsync();

    private async Task<bool> MoveAsync(LotDelivery delivery, string exchange, string routingKey, string queue)
    {
        await _copies.SendAsync(exchange, routingKey, Republication.InPlace(delivery.Properties!), delivery.Message!, queue).ConfigureAwait(false);
        return true;
    }
}
