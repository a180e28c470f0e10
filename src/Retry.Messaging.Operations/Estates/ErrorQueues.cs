using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.Operations.Estates;

/// <summary>The error queues of services that have none of this library: MassTransit's <c>_error</c> and <c>_skipped</c>, and any dead-letter queue.</summary>
/// <remarks>
/// They are read, replayed and discarded as parking lots are, and named by their own name. Nothing is declared, bound or marked: a copy
/// goes by the default exchange into the queue that its message failed in, confirmed, and only then the message is acknowledged.
/// </remarks>
/// <param name="connection">An open connection, which stays the caller's.</param>
/// <param name="time">The clock.</param>
/// <param name="management">Tells the queue's delivery limit; <see langword="null"/> where there is none to ask.</param>
internal sealed class ErrorQueues(IConnection connection, TimeProvider time, ManagementClient? management = null) : IParkingLot
{
    // another operator's look takes a second or two
    private static readonly TimeSpan PatienceWithOthers = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    /// <summary>Messages that the last replay or discard left where they are, by the queue that does not exist; empty for those that name none.</summary>
    public ConcurrentDictionary<string, long> WithoutDestination { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether a text can be the id of a message in an error queue.</summary>
    public static bool IsId(string text) => ChainId.IsShort(text);

    /// <summary>The work queue that an error queue's name tells; <see langword="null"/> where it tells none.</summary>
    public static string? PointOf(string queue) => FailedQueue.WithoutSuffix(queue);

    /// <summary>Tells why a queue of this name is none, with what to type instead; <see langword="null"/> where it may be one.</summary>
    public static string? WhyNot(string queue) =>
        queue.Length == 0 ? "found an empty name, wanted that of an error queue, for example payments_error."
        : Encoding.UTF8.GetByteCount(queue) is > BrokerNames.MaxQueueBytes and var bytes ? $"found a name of {bytes} bytes, wanted {BrokerNames.MaxQueueBytes} at most."
        : queue == BrokerNames.LostQueue ? $"found '{queue}', the queue of lost messages. Use 'retryctl lost list'."
        : queue.StartsWith(BrokerNames.LadderPrefix, StringComparison.Ordinal) ? $"found '{queue}', a queue of the ladder, whose messages are on their way. Wanted an error queue, for example payments_error."
        : Without(queue, BrokerNames.ParkedSuffix) is { } parked ? $"found '{queue}', the parking lot of '{parked}'. Give the point's name, '{parked}', without --queue."
        : Without(queue, BrokerNames.ReleaseSuffix) is { } released ? $"found '{queue}', where messages of '{released}' wait for its limiter. Wanted an error queue, for example {released}_error."
        : null;

    /// <inheritdoc/>
    public IAsyncEnumerable<ParkedMessage> ListAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        ReadAsync(workQueue, new LotRequest(filter), progress, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ParkedMessage> ShowAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        ReadAsync(workQueue, new LotRequest(filter) { WithBodies = true }, progress, cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Of the options the rate counts alone: what another library's service gets carries no plan.</remarks>
    public async IAsyncEnumerable<ParkedMessage> ReplayAsync(
        string workQueue,
        ParkedFilter filter,
        ReplayOptions? options = null,
        IProgress<ParkingProgress>? progress = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        WithoutDestination.Clear();
        var sender = new ErrorQueueReplay(connection, WithoutDestination);
        await using var senderEnds = sender.ConfigureAwait(false);
        var request = new LotRequest(filter) { WithBodies = true, TakesOut = true };
        await foreach (var message in MoveAsync(workQueue, request, sender.SendAsync, options?.PerSecond, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    /// <inheritdoc/>
    /// <remarks>A message that tells nothing of a failure stays: the queue may be the work queue of a service that has stopped.</remarks>
    public IAsyncEnumerable<ParkedMessage> DiscardAsync(
        string workQueue,
        ParkedFilter filter,
        IProgress<ParkingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        WithoutDestination.Clear();
        var request = new LotRequest(filter) { TakesOut = true };
        return MoveAsync(workQueue, request, delivery => Task.FromResult(MayGo(delivery.Message!)), perSecond: null, progress, cancellationToken);
    }

    /// <summary>Moves messages into the parking lot of a point, as a plan.</summary>
    /// <param name="queue">The error queue.</param>
    /// <param name="workQueue">The point's work queue.</param>
    /// <param name="filter">Which messages; a plan that is resumed knows its own.</param>
    /// <param name="order">Who wants it.</param>
    /// <param name="progress">Told now and then how far it is.</param>
    /// <param name="cancellationToken">Ends it in good order.</param>
    /// <exception cref="ParkingException">There is no such queue or parking lot, or the broker refused a copy.</exception>
    public async IAsyncEnumerable<ParkedMessage> AdoptAsync(
        string queue,
        string workQueue,
        ParkedFilter filter,
        PlanOrder order,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var source = await SourceOfAsync(queue, cancellationToken).ConfigureAwait(false);
        var adoption = new Adoption(connection, workQueue, order.Id, time);
        await using var ends = adoption.ConfigureAwait(false);
        var request = new LotRequest(filter) { WithBodies = true, TakesOut = true };
        var run = new PlanRun(connection, source, workQueue, time);
        await foreach (var message in run.RunAsync(order, request, adoption.PrepareAsync, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    /// <summary>Gives up the rest of an adoption that was left unfinished.</summary>
    /// <returns>The plan as it ended, and the messages that may have been adopted and are still in the error queue.</returns>
    /// <exception cref="ParkingException">It is not known what may have been sent, so the plan stays open.</exception>
    public async Task<(Plan Plan, IReadOnlyList<ParkedMessage> MayHaveBeenSent)> CancelAsync(
        Plan plan,
        PlanOrder order,
        IProgress<ParkingProgress>? progress,
        CancellationToken cancellationToken)
    {
        var source = await SourceOfAsync(plan.Terms.ErrorQueue!, cancellationToken).ConfigureAwait(false);
        return await new PlanCancellation(connection, source, time).RunAsync(plan, order, progress, cancellationToken).ConfigureAwait(false);
    }

    private bool MayGo(ParkedMessage message)
    {
        if (message.WorkQueue.Length > 0 || message.Reason != default)
        {
            return true;
        }

        WithoutDestination.AddOrUpdate(string.Empty, 1, static (_, count) => count + 1);
        return false;
    }

    private async Task<LotSource> SourceOfAsync(string queue, CancellationToken cancellationToken)
    {
        if (WhyNot(queue) is { } why)
        {
            throw new ParkingException($"Error queue: {why}") { IsUnknownQueue = true };
        }

        var source = new LotSource(
            queue,
            $"Found no queue '{queue}'. Check the name and the virtual host. MassTransit makes an error queue when the first message fails.",
            (_, _, properties, body) => ErrorQueueMessage.Read(queue, properties, body))
        {
            IsNamedByOperator = true,
        };
        try
        {
            await NobodyElseConsumesAsync(queue, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason is { } reason)
        {
            throw source.Refusal(reason, exception);
        }

        var limit = await ErrorQueueLimit.OfAsync(queue, connection, management, cancellationToken).ConfigureAwait(false);
        return source with { DeliveryLimit = limit.Limit, IsLimitGuessed = limit.IsGuessed, Nacks = limit.IsNackFree };
    }

    private async IAsyncEnumerable<ParkedMessage> ReadAsync(
        string queue,
        LotRequest request,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (request.Filter.Limit <= 0)
        {
            yield break;
        }

        var source = await SourceOfAsync(queue, cancellationToken).ConfigureAwait(false);
        var reader = await LotReader.OpenAsync(connection, source, request, time, cancellationToken).ConfigureAwait(false);
        await using var readerEnds = reader.ConfigureAwait(false);
        await foreach (var message in reader.LookAsync(request.Filter.Limit, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    private async IAsyncEnumerable<ParkedMessage> MoveAsync(
        string queue,
        LotRequest request,
        Func<LotDelivery, Task<bool>> move,
        double? perSecond,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (request.Filter.Limit <= 0)
        {
            yield break;
        }

        var source = await SourceOfAsync(queue, cancellationToken).ConfigureAwait(false);
        var lot = new LotMove(connection, source, time, Random.Shared) { Pace = perSecond is { } rate ? new MovePace(rate, time) : null };
        await foreach (var message in lot.RunAsync(request, move, progress, cancellationToken).ConfigureAwait(false))
        {
            yield return message;
        }
    }

    // Reading holds messages back from whoever works on them, and makes those wait that come behind.
    private async Task NobodyElseConsumesAsync(string queue, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        while (await look.FindQueueAsync(queue, cancellationToken).ConfigureAwait(false) is { ConsumerCount: > 0 and var consumers })
        {
            if (time.GetElapsedTime(began) > PatienceWithOthers)
            {
                throw new ParkingException($"Queue '{queue}' has consumers ({consumers}), wanted an error queue that nobody consumes; nothing was read. If a service works on it, give the queue where its failed messages go, for example '{queue}_error'. If another operator reads it, run the command again later.");
            }

            await Task.Delay(BetweenLooks, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static string? Without(string queue, string suffix) => queue.EndsWith(suffix, StringComparison.Ordinal) ? queue[..^suffix.Length] : null;
}
