using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.State;

namespace Retry.Messaging.RabbitMq.Parking;

/// <summary>The messages in the lost queue: their destination, their rung or their parking lot was not there.</summary>
/// <remarks>
/// A lost message has not come to an end: its replay repeats the last step that went astray, with the same attempt number, the
/// rest of its delay and its own deadline. (A parked one has ended; its replay starts the attempts anew.)
/// </remarks>
internal sealed class LostMessages(IConnection connection, TimeProvider time)
{
    private readonly WayBack _way = new(connection, time);

    /// <summary>Messages that the last replay left behind, by the queue that is still missing.</summary>
    public ConcurrentDictionary<string, long> WithoutDestination { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads lost messages; looking changes nothing.</summary>
    /// <exception cref="ParkingException">There is no lost queue, or the broker stopped answering.</exception>
    public async IAsyncEnumerable<ParkedMessage> ListAsync(ParkedFilter filter, IProgress<ParkingProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (filter.Limit <= 0)
        {
            yield break;
        }

        var reader = await LotReader.OpenAsync(connection, LotSource.Lost, new LotRequest(filter), time, cancellationToken).ConfigureAwait(false);
        await using var readerEnds = reader.ConfigureAwait(false);
        await foreach (var message in reader.LookAsync(filter.Limit, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    /// <summary>Sends lost messages on to where they were going. Those whose destination is still missing stay.</summary>
    /// <returns>Each message after it has been moved.</returns>
    /// <exception cref="ParkingException">There is no lost queue, or the broker refused a copy.</exception>
    public async IAsyncEnumerable<ParkedMessage> ReplayAsync(ParkedFilter filter, string plan, IProgress<ParkingProgress>? progress, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (filter.Limit <= 0)
        {
            yield break;
        }

        var destinations = new ConcurrentDictionary<string, Lazy<Task<string?>>>(StringComparer.Ordinal);
        var publisher = new ConfirmedPublisher(connection);
        await using var publisherEnds = publisher.ConfigureAwait(false);
        var move = new LotMove(connection, LotSource.Lost, time, Random.Shared);
        await foreach (var message in move.RunAsync(new LotRequest(filter) { WithBodies = true, TakesOut = true, ExceptPlan = plan }, PublishAsync, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }

        async Task<bool> PublishAsync(LotDelivery delivery)
        {
            var message = delivery.Message!;
            var names = RetryPointNames.For(message.WorkQueue);
            var isOnTheLadder = message.Destination is not null;
            var destination = await destinations.GetOrAdd(
                (isOnTheLadder ? names : names with { Work = names.Parked }).Work,
                _ => new Lazy<Task<string?>>(() => isOnTheLadder ? FindDestinationAsync(names, cancellationToken) : _way.FindParkingLotAsync(names, cancellationToken))).Value.ConfigureAwait(false);
            if (destination is null)
            {
                WithoutDestination.AddOrUpdate(isOnTheLadder ? names.Work : names.Parked, 1, static (_, count) => count + 1);
                return false;
            }

            var left = message.State.DueAt - time.GetUtcNow();
            var route = DelayLadder.Route(left > TimeSpan.Zero ? left.Value : TimeSpan.Zero, destination);
            using var span = RetryTracing.StartReplay(message, plan);
            var properties = Republication.With(delivery.Properties!, OnItsWay(message, plan), names.Work);
            RetryTracing.Propagate(properties.Headers!);
            HeaderFrame.Fit(properties, connection.FrameMax);
            try
            {
                // not cancellable: once sent, only the confirm tells whether the lost one may go
                await publisher.PublishAsync(
                    isOnTheLadder ? route.Exchange : BrokerNames.ParkingExchange,
                    isOnTheLadder ? route.RoutingKey : names.Work,
                    properties,
                    message.Body!.Value,
                    CancellationToken.None).ConfigureAwait(false);
                return true;
            }
            catch (PublishRefusedException exception)
            {
                span.Fail(exception);
                throw new ParkingException($"The replay to '{destination}' stopped: {exception.Message} What was not moved is still in '{BrokerNames.LostQueue}'; run it again when the cause is gone.", exception);
            }
        }
    }

    private async Task<string?> FindDestinationAsync(RetryPointNames names, CancellationToken cancellationToken) =>
        (await _way.FindAsync(names, cancellationToken).ConfigureAwait(false))?.Queue;

    // What the broker itself parked has its cause in x-death, which a republication takes off.
    private static RetryState OnItsWay(ParkedMessage message, string plan) => message.State with
    {
        Id = message.Id,
        Reason = message.Destination is null ? message.Reason : message.State.Reason,
        Replayed = message.State.Replayed == int.MaxValue ? int.MaxValue : message.State.Replayed + 1,
        Plan = plan,
    };
}
