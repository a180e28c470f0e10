using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Tells that somebody works on a lot.</summary>
/// <remarks>
/// It is no reservation, which stands in the journal. It tells that the connection over which copies are sent lives: while it does,
/// also that of a process that sleeps, nobody else goes on with its plan; and once it does not, nothing more can come from there.
/// </remarks>
internal static class LotLock
{
    /// <summary>Takes the lock of a lot.</summary>
    /// <returns>The lock, or <see langword="null"/> where another plan has it.</returns>
    /// <exception cref="ParkingException">The broker refuses it.</exception>
    public static Task<BrokerLock?> TryTakeAsync(IConnection connection, string queue, CancellationToken cancellationToken) =>
        BrokerLock.TryTakeAsync(connection, BrokerNames.LotLock(queue), $"that somebody works on '{queue}'", cancellationToken);

    /// <summary>Whether somebody has the lock.</summary>
    public static Task<bool> IsTakenAsync(PassiveLook look, string queue, CancellationToken cancellationToken) =>
        BrokerLock.IsTakenAsync(look, BrokerNames.LotLock(queue), cancellationToken);
}
