using System.Runtime.CompilerServices;
using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Parking;

/// <summary>Parking lots on RabbitMQ, read and emptied over an AMQP connection.</summary>
/// <remarks>
/// The life of a replay:
/// <list type="number">
/// <item>The destination is looked for: the release queue where a limiter consumes it, else the work queue; and bound, if it is not.</item>
/// <item>The parking lot is read from front to back; what the filter selects then is what is replayed, and nothing that is parked later.</item>
/// <item>It is read again; what was not selected is held until the end.</item>
/// <item>A copy of each selected message, its attempts counted anew, is published to the return exchange and confirmed.</item>
/// <item>Only then the parked one is acknowledged.</item>
/// <item>Closing the channel makes the held ones ready again.</item>
/// </list>
/// </remarks>
public sealed class ParkingLot : IParkingLot
{
    private const int MaxPlanId = 128;

    private readonly IConnection _connection;
    private readonly TimeProvider _time;

    /// <summary>Creates it on a connection, which stays the caller's.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="time">The clock; <see langword="null"/> for the system's.</param>
    public ParkingLot(IConnection connection, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _connection = connection;
        _time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ParkedMessage> ListAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        ReadAsync(NamesOf(workQueue, filter), filter, withBodies: false, progress, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ParkedMessage> ShowAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        ReadAsync(NamesOf(workQueue, filter), filter, withBodies: true, progress, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ParkedMessage> ReplayAsync(
        string workQueue,
        ParkedFilter filter,
        ReplayOptions? options = null,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        ReplayAsync(
            NamesOf(workQueue, filter),
            filter,
            HeaderText.OneLine((options ??= new ReplayOptions()).PlanId, MaxPlanId),
            options.DestinationFound,
            progress,
            cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ParkedMessage> DiscardAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        DiscardAsync(NamesOf(workQueue, filter), filter, progress, cancellationToken);

    private static RetryPointNames NamesOf(string workQueue, ParkedFilter filter)
    {
        ArgumentException.ThrowIfNullOrEmpty(workQueue);
        ArgumentNullException.ThrowIfNull(filter);
        var names = RetryPointNames.For(workQueue);
        return Encoding.UTF8.GetByteCount(names.Parked) <= BrokerNames.MaxQueueBytes
            ? names
            : throw new ArgumentException($"Found a parking lot whose name has more than {BrokerNames.MaxQueueBytes} bytes, wanted the name of a work queue that has one.", nameof(workQueue));
    }

    private async IAsyncEnumerable<ParkedMessage> ReadAsync(
        RetryPointNames names,
        ParkedFilter filter,
        bool withBodies,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (filter.Limit <= 0)
        {
            yield break;
        }

        var reader = await LotReader.OpenAsync(
            _connection,
            LotSource.ParkingLot(names),
            new LotRequest(filter) { WithBodies = withBodies },
            _time,
            cancellationToken).ConfigureAwait(false);
        await using var readerEnds = reader.ConfigureAwait(false);
        await foreach (var message in reader.LookAsync(filter.Limit, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    private async IAsyncEnumerable<ParkedMessage> ReplayAsync(
        RetryPointNames names,
        ParkedFilter filter,
        string plan,
        Action<ReplayDestination>? found,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (filter.Limit <= 0)
        {
            yield break;
        }

        var destination = await FindDestinationAsync(names, cancellationToken).ConfigureAwait(false);
        found?.Invoke(destination);
        var route = DelayLadder.Route(TimeSpan.Zero, destination.Queue);
        var publisher = new ConfirmedPublisher(_connection);
        await using var publisherEnds = publisher.ConfigureAwait(false);
        var move = new LotMove(_connection, LotSource.ParkingLot(names), _time, Random.Shared);
        await foreach (var message in move.RunAsync(
            new LotRequest(filter) { WithBodies = true, TakesOut = true, ExceptPlan = plan },
            PublishAsync,
            progress,
            cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }

        async Task<bool> PublishAsync(LotDelivery delivery)
        {
            var message = delivery.Message!;
            using var span = message.StartReplay(plan);
            var properties = ReplayedCopy.Of(message, delivery.Properties!, plan);
            RetryTracing.Propagate(properties.Headers!);
            HeaderFrame.Fit(properties, _connection.FrameMax);
            try
            {
                // not cancellable: once sent, only the confirm tells whether the parked one may go
                await publisher.PublishAsync(route.Exchange, route.RoutingKey, properties, message.Body!.Value, CancellationToken.None).ConfigureAwait(false);
                return true;
            }
            catch (PublishRefusedException exception)
            {
                span.Fail(exception);
                throw new ParkingException(
                    $"The replay to '{names.Work}' stopped: {exception.Message} Messages that were not moved are still parked. Run the replay again when the cause is gone.",
                    exception);
            }
        }
    }

    private async IAsyncEnumerable<ParkedMessage> DiscardAsync(
        RetryPointNames names,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (filter.Limit <= 0)
        {
            yield break;
        }

        var move = new LotMove(_connection, LotSource.ParkingLot(names), _time, Random.Shared);
        await foreach (var message in move.RunAsync(
            new LotRequest(filter) { TakesOut = true },
            static _ => Task.FromResult(true),
            progress,
            cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    /// <summary>
    /// Finds where replayed messages go. The ladder's alternate exchange swallows what has no destination and the broker
    /// confirms it, so what is missing must be found before the first message is published.
    /// </summary>
    private async Task<ReplayDestination> FindDestinationAsync(RetryPointNames names, CancellationToken cancellationToken)
    {
        var way = new WayBack(_connection, _time);
        return await way.FindAsync(names, cancellationToken).ConfigureAwait(false)
            ?? throw new ParkingException($"Found no queue '{names.Work}' to replay to; nothing was moved. Start the service that owns it, or check the name and the virtual host.") { IsUnknownQueue = true };
    }
}
