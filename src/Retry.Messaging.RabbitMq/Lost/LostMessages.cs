using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Lost;

/// <summary>The messages in the lost queue: their destination, their rung or their parking lot was not there.</summary>
/// <remarks>
/// A lost message has not come to an end: its replay repeats the last step that went astray, with the same attempt number, the
/// rest of its delay and its own deadline. (A parked one has ended; its replay starts the attempts anew.)
/// </remarks>
internal sealed class LostMessages(IConnection connection, TimeProvider time)
{
    private static readonly TimeSpan PatienceWithOthers = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    private static readonly LotSource Source = new(
        BrokerNames.LostQueue,
        $"Found no queue '{BrokerNames.LostQueue}'. Check the virtual host. A service makes the queue when it starts; so does 'retryctl topology apply'.",
        LostMessageReader.Read);

    private readonly WayBack _way = new(connection, time);

    /// <summary>Messages that the last replay left behind, by the queue that is still missing.</summary>
    public ConcurrentDictionary<string, long> WithoutDestination { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether a destination is bound before it is sent to.</summary>
    public bool Binds
    {
        get => _way.Binds;
        init => _way = new(connection, time) { Binds = value };
    }

    /// <summary>Which of them may go on by themselves; <see langword="null"/> where an operator says which.</summary>
    public LostForwarding? ByItself { get; init; }

    /// <summary>Reads lost messages; looking changes nothing.</summary>
    /// <exception cref="ParkingException">There is no lost queue, or the broker stopped answering.</exception>
    public async IAsyncEnumerable<ParkedMessage> ListAsync(
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (filter.Limit <= 0)
        {
            yield break;
        }

        await OthersHaveReadAsync(cancellationToken).ConfigureAwait(false);
        var reader = await LotReader.OpenAsync(connection, Source, new LotRequest(filter), time, cancellationToken).ConfigureAwait(false);
        await using var readerEnds = reader.ConfigureAwait(false);
        await foreach (var message in reader.LookAsync(filter.Limit, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    /// <summary>Sends lost messages on to where they were going. Those whose destination is still missing stay.</summary>
    /// <returns>Each message after it has been moved.</returns>
    /// <exception cref="ParkingException">There is no lost queue, or the broker refused a copy.</exception>
    public async IAsyncEnumerable<ParkedMessage> ReplayAsync(
        ParkedFilter filter,
        string plan,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (filter.Limit <= 0)
        {
            yield break;
        }

        if (ByItself is null)
        {
            await OthersHaveReadAsync(cancellationToken).ConfigureAwait(false);
        }

        var destinations = new ConcurrentDictionary<string, Lazy<Task<string?>>>(StringComparer.Ordinal);
        var publisher = new ConfirmedPublisher(connection);
        await using var publisherEnds = publisher.ConfigureAwait(false);
        // what goes on by itself has no preview: it is whatever is met
        var request = new LotRequest(filter) { WithBodies = true, TakesOut = true, ExceptPlan = plan, Skips = ByItself is null ? null : ByItself.IsHomeless };
        await foreach (var message in (ByItself is null ? SetAsync(request) : OneRoundAsync(request)).ConfigureAwait(false))
        {
            yield return message;
        }

        IAsyncEnumerable<ParkedMessage> SetAsync(LotRequest request) =>
            new LotMove(connection, Source, time, Random.Shared).RunAsync(request, PublishAsync, progress, cancellationToken);

        async IAsyncEnumerable<ParkedMessage> OneRoundAsync(LotRequest request)
        {
            var reader = await LotReader.OpenAsync(connection, Source, request, time, cancellationToken).ConfigureAwait(false);
            await using var readerEnds = reader.ConfigureAwait(false);
            using var mover = new LotMover(reader, PublishAsync, filter.Limit, time, progress);
            await foreach (var message in mover.RunAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return message;
            }
        }

        async Task<bool> PublishAsync(LotDelivery delivery)
        {
            var message = delivery.Message!;
            var names = RetryPointNames.For(message.WorkQueue);
            var isOnTheLadder = message.Destination is not null;
            if (ByItself?.MayGoOn(message, time.GetUtcNow()) == false)
            {
                return false;
            }

            var wanted = isOnTheLadder ? names.Work : names.Parked;
            var destination = await destinations.GetOrAdd(wanted, _ => new Lazy<Task<string?>>(() => FindAsync(names, isOnTheLadder, cancellationToken)))
                .Value.ConfigureAwait(false);
            if (destination is null)
            {
                WithoutDestination.AddOrUpdate(wanted, 1, static (_, count) => count + 1);
                if (ByItself is { IsUnfinished: false } byItself && !byItself.WasRefused(wanted))
                {
                    byItself.IsMissing(message, wanted);
                }

                return false;
            }

            var left = message.State.DueAt - time.GetUtcNow();
            var route = DelayLadder.Route(left > TimeSpan.Zero ? left.Value : TimeSpan.Zero, destination);
            using var span = message.StartReplay(plan);
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
            catch (PublishRefusedException exception) when (ByItself is not null)
            {
                // others behind it may have a way
                span.Fail(exception);
                ByItself.IsRefused(wanted, exception.Message);
                destinations[wanted] = new Lazy<Task<string?>>(Task.FromResult<string?>(null));
                return false;
            }
            catch (PublishRefusedException exception)
            {
                span.Fail(exception);
                throw new ParkingException(
                    $"The replay to '{destination}' stopped: {exception.Message} Messages that were not moved are still in '{BrokerNames.LostQueue}'. Run the replay again when the cause is gone.",
                    exception);
            }
        }
    }

    private async Task<string?> FindAsync(RetryPointNames names, bool isOnTheLadder, CancellationToken cancellationToken)
    {
        if (ByItself?.MayLook() == false)
        {
            return null;
        }

        try
        {
            return isOnTheLadder
                ? (await _way.FindAsync(names, cancellationToken).ConfigureAwait(false))?.Queue
                : await _way.FindParkingLotAsync(names, cancellationToken).ConfigureAwait(false);
        }
        catch (ParkingException) when (ByItself is not null)
        {
            // its destination may not be looked at or bound: it stays for an operator, and the others go on
            return null;
        }
    }

    // Another reader holds what it has read, so this would count less than there is. What a service sends on by itself takes
    // some seconds.
    private async Task OthersHaveReadAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        while (await look.FindQueueAsync(BrokerNames.LostQueue, cancellationToken).ConfigureAwait(false) is { ConsumerCount: > 0 }
            && time.GetElapsedTime(began) < PatienceWithOthers)
        {
            await Task.Delay(BetweenLooks, time, cancellationToken).ConfigureAwait(false);
        }
    }

    // What the broker itself parked has its cause in x-death, which a republication takes off.
    private static RetryState OnItsWay(ParkedMessage message, string plan) => message.State with
    {
        Id = message.Id,
        Reason = message.Destination is null ? message.Reason : message.State.Reason,
        Replayed = message.State.Replayed == int.MaxValue ? int.MaxValue : message.State.Replayed + 1,
        Plan = plan,
    };
}
