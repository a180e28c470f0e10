using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Options;

/// <summary>What a parked command works on: a point's parking lot or archive, or an error queue of a service without this library.</summary>
/// <param name="Name">The name that was given.</param>
/// <param name="IsErrorQueue">Whether it is that of the queue itself, and not of a work queue.</param>
/// <param name="IsArchive">Whether it is the work queue's archive.</param>
internal sealed record ParkedPlace(string Name, bool IsErrorQueue, bool IsArchive = false)
{
    /// <summary>The queue that is read.</summary>
    public string Queue => IsErrorQueue ? Name : IsArchive ? LotSource.Archive(RetryPointNames.For(Name)).Queue : BrokerNames.ParkedQueue(Name);

    /// <summary>How it is typed, for another command.</summary>
    public string Typed => IsErrorQueue ? $"--queue {Name}" : IsArchive ? $"{Name} --archived" : Name;

    /// <summary>Opens it.</summary>
    public IParkingLot Open(IConnection connection, ManagementClient management, TimeProvider time) =>
        IsErrorQueue ? new ErrorQueues(connection, time, management) : new ParkingLot(connection, time) { IsArchive = IsArchive };
}
