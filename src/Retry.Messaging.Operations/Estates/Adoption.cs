using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Estates;

/// <summary>Moves messages of an error queue into the parking lot of a point.</summary>
internal sealed class Adoption(IConnection connection, string workQueue, string plan, TimeProvider time) : IAsyncDisposable
{
    private readonly PlanCopies _copies = new(connection, plan);

    /// <summary>Makes sure that there is a parking lot, and gives what moves one.</summary>
    /// <exception cref="ParkingException">There is none; nothing was moved.</exception>
    public async Task<Func<LotDelivery, Task<bool>>> PrepareAsync(PlanTerms terms, CancellationToken cancellationToken)
    {
        var names = RetryPointNames.For(workQueue);
        var lot = await new WayBack(connection, time).FindParkingLotAsync(names, cancellationToken).ConfigureAwait(false)
            ?? throw new ParkingException($"Found no queue '{names.Parked}' to adopt into; nothing was moved. Start a service with graded retry on '{workQueue}', run 'retryctl topology apply --point {workQueue}', or name another point with --to.") { IsUnknownQueue = true };
        return async delivery =>
        {
            var message = delivery.Message!;
            await _copies.SendAsync(BrokerNames.ParkingExchange, workQueue, AdoptedCopy.Of(message, delivery.Properties!, workQueue), message, lot).ConfigureAwait(false);
            return true;
        };
    }

    public ValueTask DisposeAsync() => _copies.DisposeAsync();
}
