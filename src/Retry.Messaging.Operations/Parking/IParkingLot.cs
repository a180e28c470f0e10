using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Parking;

/// <summary>The parked messages of retry points: list, show, replay and discard them.</summary>
/// <remarks>
/// A parking lot is an ordinary queue, <c>{queue}.parked</c>. Reading it holds its messages back from everybody else until
/// the stream ends or is disposed of; then all that were not replayed or discarded are ready again, with nothing changed.
/// Only messages that were ready when the stream was started are read.
/// </remarks>
public interface IParkingLot
{
    /// <summary>Reads parked messages, without their bodies.</summary>
    /// <param name="workQueue">The work queue whose parking lot is read, for example <c>payments</c>.</param>
    /// <param name="filter">Which messages.</param>
    /// <param name="progress">Told now and then how far the reading is; may be <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the reading; nothing changes.</param>
    /// <exception cref="ParkingException">There is no such parking lot, or the broker stopped answering.</exception>
    IAsyncEnumerable<ParkedMessage> ListAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>Reads parked messages with their bodies.</summary>
    /// <param name="workQueue">The work queue whose parking lot is read.</param>
    /// <param name="filter">Which messages.</param>
    /// <param name="progress">Told now and then how far the reading is; may be <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the reading; nothing changes.</param>
    /// <exception cref="ParkingException">There is no such parking lot, or the broker stopped answering.</exception>
    IAsyncEnumerable<ParkedMessage> ShowAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>Sends parked messages back to work, their attempts counted anew.</summary>
    /// <remarks>
    /// A message leaves the parking lot after the broker has confirmed its copy, so none is lost; a crash between the two
    /// leaves a second copy, which carries the same plan. What is replayed is what was parked when the replay read the lot for the
    /// first time, whoever else replays or parks meanwhile. The messages go to the release queue where a limiter consumes it, and
    /// where nobody consumes either queue; else to the work queue. When cancelled, it takes no further message, waits for the copies
    /// on their way, streams them too, and then ends with <see cref="OperationCanceledException"/>.
    /// </remarks>
    /// <param name="workQueue">The work queue whose parking lot is read, and to which the messages go.</param>
    /// <param name="filter">Which messages.</param>
    /// <param name="options">How; <see langword="null"/> for the defaults.</param>
    /// <param name="progress">Told now and then how far the replay is; may be <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the replay in good order.</param>
    /// <returns>Each message after it has been moved.</returns>
    /// <exception cref="ParkingException">The parking lot or the destination is missing (nothing moved), or the broker refused a copy.</exception>
    IAsyncEnumerable<ParkedMessage> ReplayAsync(
        string workQueue,
        ParkedFilter filter,
        ReplayOptions? options = null,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>Deletes parked messages for good: those that were parked when it read the lot for the first time.</summary>
    /// <param name="workQueue">The work queue whose parking lot is read.</param>
    /// <param name="filter">Which messages.</param>
    /// <param name="progress">Told now and then how far it is; may be <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends it; the rest stays parked.</param>
    /// <returns>Each message after it has been discarded.</returns>
    /// <exception cref="ParkingException">There is no such parking lot, or the broker stopped answering.</exception>
    IAsyncEnumerable<ParkedMessage> DiscardAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default);
}
