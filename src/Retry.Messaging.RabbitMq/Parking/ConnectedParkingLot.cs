using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Parking;

/// <summary>A parking lot as a service: it asks for its connection at each call.</summary>
/// <param name="connect">The connection of the moment; what it returns is not closed here.</param>
/// <param name="names">How the queues of a retry point are named.</param>
/// <param name="time">The clock.</param>
internal sealed class ConnectedParkingLot(
    Func<CancellationToken, Task<IConnection>> connect,
    Func<string, RetryPointNames> names,
    TimeProvider time) : IParkingLot
{
    public IAsyncEnumerable<ParkedMessage> ListAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        OnAsync(lot => lot.ListAsync(workQueue, filter, progress, cancellationToken), cancellationToken);

    public IAsyncEnumerable<ParkedMessage> ShowAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        OnAsync(lot => lot.ShowAsync(workQueue, filter, progress, cancellationToken), cancellationToken);

    public IAsyncEnumerable<ParkedMessage> ReplayAsync(
        string workQueue,
        ParkedFilter filter,
        ReplayOptions? options = null,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        OnAsync(lot => lot.ReplayAsync(workQueue, filter, options, progress, cancellationToken), cancellationToken);

    public IAsyncEnumerable<ParkedMessage> DiscardAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        OnAsync(lot => lot.DiscardAsync(workQueue, filter, progress, cancellationToken), cancellationToken);

    private async IAsyncEnumerable<ParkedMessage> OnAsync(
        Func<ParkingLot, IAsyncEnumerable<ParkedMessage>> read,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lot = new ParkingLot(await connect(cancellationToken).ConfigureAwait(false), names, time);
        await foreach (var message in read(lot).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }
}
