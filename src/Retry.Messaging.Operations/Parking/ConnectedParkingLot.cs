using System.Runtime.CompilerServices;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.Operations.Parking;

/// <summary>A parking lot as a service: it asks for its connection at each call.</summary>
/// <param name="broker">Gives the connection of the moment, which is not closed here.</param>
/// <param name="time">The clock.</param>
internal sealed class ConnectedParkingLot(IBrokerConnection broker, TimeProvider time) : IParkingLot
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
        var lot = new ParkingLot(await broker.OpenAsync(cancellationToken).ConfigureAwait(false), time);
        await foreach (var message in read(lot).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }
}
