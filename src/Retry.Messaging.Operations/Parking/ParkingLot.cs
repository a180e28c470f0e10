using System.Runtime.CompilerServices;
using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Parking;

/// <summary>Parking lots on RabbitMQ, read and emptied over an AMQP connection.</summary>
/// <remarks>
/// The life of a replay, which is a plan:
/// <list type="number">
/// <item>Another one that works on the lot is waited for; one that was left unfinished is refused until somebody resumes or cancels it.</item>
/// <item>The destination is looked for: the release queue where a limiter consumes it, else the work queue; and bound, if it is not.</item>
/// <item>The parking lot is read from front to back; what the filter selects then is what is replayed, and nothing that is parked later.
/// It is written into the plan's journal in the broker.</item>
/// <item>It is read again; what was not selected is held until the end.</item>
/// <item>The journal says which messages come next. A copy of each, its attempts counted anew, is published to the return exchange and confirmed.</item>
/// <item>Only then the parked one is acknowledged.</item>
/// <item>Closing the channel makes the held ones ready again.</item>
/// </list>
/// </remarks>
public sealed class ParkingLot : IParkingLot
{
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

    /// <summary>Whether it is the point's archive that is read and emptied, instead of its parking lot.</summary>
    internal bool IsArchive { get; init; }

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
        CancellationToken cancellationToken = default)
    {
        options ??= new ReplayOptions();
        return RunAsync(workQueue, filter, options.ToOrder(), options.DestinationFound, progress, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ParkedMessage> DiscardAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        RunAsync(workQueue, filter, new PlanOrder(ReplayOptions.NewId(), new PlanTerms(PlanAction.Discard)), found: null, progress, cancellationToken);

    /// <summary>Goes on with a plan that was left unfinished.</summary>
    /// <param name="plan">The plan, as it was read.</param>
    /// <param name="order">Who goes on, and how fast.</param>
    /// <param name="found">Told where the messages go.</param>
    /// <param name="progress">Told now and then how far it is.</param>
    /// <param name="cancellationToken">Ends it in good order; it stays open.</param>
    internal IAsyncEnumerable<ParkedMessage> ResumeAsync(
        Plan plan,
        PlanOrder order,
        Action<ReplayDestination>? found,
        IProgress<ParkingProgress>? progress,
        CancellationToken cancellationToken) =>
        new ParkingLot(_connection, _time) { IsArchive = plan.Terms.IsOfArchive }.RunAsync(plan.Queue, ParkedFilter.All, order, found, progress, cancellationToken);

    /// <summary>Leaves a plan that was left unfinished to a service.</summary>
    /// <param name="plan">The plan, as it was read.</param>
    /// <param name="order">Who leaves it, and how fast it is gone on with.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The plan as it is now.</returns>
    internal Task<Plan> DetachAsync(Plan plan, PlanOrder order, CancellationToken cancellationToken) =>
        new PlanHandover(_connection, _time).DetachAsync(plan, order, cancellationToken);

    /// <summary>Gives up the rest of a plan that was left unfinished.</summary>
    /// <returns>The plan as it ended, and the messages that may have been sent.</returns>
    /// <exception cref="ParkingException">It is not known what may have been sent, so the plan stays open.</exception>
    internal Task<(Plan Plan, IReadOnlyList<ParkedMessage> MayHaveBeenSent)> CancelAsync(
        Plan plan,
        PlanOrder order,
        IProgress<ParkingProgress>? progress,
        CancellationToken cancellationToken)
    {
        var lot = new ParkingLot(_connection, _time) { IsArchive = plan.Terms.IsOfArchive };
        return new PlanCancellation(_connection, lot.SourceOf(RetryPointNames.For(plan.Queue)), _time).RunAsync(plan, order, progress, cancellationToken);
    }

    /// <summary>Carries out what is wanted, or goes on with it.</summary>
    internal IAsyncEnumerable<ParkedMessage> RunAsync(
        string workQueue,
        ParkedFilter filter,
        PlanOrder order,
        Action<ReplayDestination>? found,
        IProgress<ParkingProgress>? progress,
        CancellationToken cancellationToken)
    {
        var names = NamesOf(workQueue, filter);
        order = order with { Terms = order.Terms with { IsOfArchive = IsArchive } };
        return order.Terms.Action switch
        {
            PlanAction.Discard => DiscardAsync(names, filter, order, progress, cancellationToken),
            PlanAction.Archive or PlanAction.Restore => ArchiveAsync(names, filter, order, progress, cancellationToken),
            _ => ReplayAsync(names, filter, order, found, progress, cancellationToken),
        };
    }

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
            SourceOf(names),
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
        PlanOrder order,
        Action<ReplayDestination>? found,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (filter.Limit <= 0)
        {
            yield break;
        }

        var sender = new ReplaySender(_connection, names, order.Id, found, _time);
        await using var senderEnds = sender.ConfigureAwait(false);
        var request = new LotRequest(filter) { WithBodies = true, TakesOut = true, ExceptPlan = order.Id };
        await foreach (var message in RunOf(names).RunAsync(order, request, sender.PrepareAsync, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    private IAsyncEnumerable<ParkedMessage> DiscardAsync(
        RetryPointNames names,
        ParkedFilter filter,
        PlanOrder order,
        IProgress<ParkingProgress>? progress,
        CancellationToken cancellationToken) =>
        filter.Limit <= 0
            ? AsyncEnumerable.Empty<ParkedMessage>()
            : RunOf(names).RunAsync(order, new LotRequest(filter) { TakesOut = true }, static (_, _) => Task.FromResult(Discard), progress, cancellationToken);

    private static readonly Func<LotDelivery, Task<bool>> Discard = static _ => Task.FromResult(true);

    private async IAsyncEnumerable<ParkedMessage> ArchiveAsync(
        RetryPointNames names,
        ParkedFilter filter,
        PlanOrder order,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var sender = new ArchiveSender(_connection, names, order.Id, _time);
        await using var senderEnds = sender.ConfigureAwait(false);
        var request = new LotRequest(filter) { WithBodies = true, TakesOut = true };
        await foreach (var message in RunOf(names).RunAsync(order, request, sender.PrepareAsync, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    private LotSource SourceOf(RetryPointNames names) => IsArchive ? LotSource.Archive(names) : LotSource.ParkingLot(names);

    private PlanRun RunOf(RetryPointNames names) => new(_connection, SourceOf(names), names.Work, _time);
}
