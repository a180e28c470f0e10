using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Finds where replayed messages go, and makes sure that they arrive there.</summary>
/// <remarks>
/// The ladder's alternate exchange swallows what has no destination and the broker confirms it, so what is missing must be
/// found before the first message is published. And a release queue that nobody consumes is a dead end: it is left over
/// from a limit that was taken away, or the code that runs now knows none.
/// </remarks>
internal sealed class WayBack(IConnection connection, TimeProvider time)
{
    // a limiter that lost its connection is back after 6 s at most
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Whether what is found is bound, too.</summary>
    public bool Binds { get; init; } = true;

    /// <summary>The queue that a point's messages return to, bound; <see langword="null"/> where there is no work queue.</summary>
    /// <exception cref="ParkingException">It could not be looked at or bound.</exception>
    public async Task<ReplayDestination?> FindAsync(RetryPointNames names, CancellationToken cancellationToken)
    {
        if (await FindQueueAsync(names.Work, cancellationToken).ConfigureAwait(false) is not { } work)
        {
            return null;
        }

        var release = await FindQueueAsync(names.Release, cancellationToken).ConfigureAwait(false);
        string? pausedBy = null;
        if (release is { ConsumerCount: 0 } && work.ConsumerCount > 0)
        {
            pausedBy = await WhoPausedAsync(names, cancellationToken).ConfigureAwait(false);
            release = pausedBy is null ? await WaitForLimiterAsync(names.Release, release, cancellationToken).ConfigureAwait(false) : release;
        }

        var destination = ReplayDestination.Choose(names.Work, work.ConsumerCount, names.Release, release?.ConsumerCount, pausedBy);
        await BindAsync(destination.Queue, BrokerNames.ReturnExchange, BrokerNames.ReturnPattern(destination.Queue), cancellationToken).ConfigureAwait(false);
        return destination;
    }

    /// <summary>A point's parking lot, bound; <see langword="null"/> where there is none.</summary>
    /// <exception cref="ParkingException">It could not be looked at or bound.</exception>
    public async Task<string?> FindParkingLotAsync(RetryPointNames names, CancellationToken cancellationToken)
    {
        if (await FindQueueAsync(names.Parked, cancellationToken).ConfigureAwait(false) is null)
        {
            return null;
        }

        await BindAsync(names.Parked, BrokerNames.ParkingExchange, names.Work, cancellationToken).ConfigureAwait(false);
        return names.Parked;
    }

    private async Task BindAsync(string queue, string exchange, string key, CancellationToken cancellationToken)
    {
        if (!Binds)
        {
            return;
        }

        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            try
            {
                // AMQP cannot ask for a binding; making one that exists changes nothing
                await channel.QueueBindAsync(queue, exchange, key, cancellationToken: cancellationToken).ConfigureAwait(false);
            }
            catch (OperationInterruptedException exception) when (exception.ShutdownReason is { } reason)
            {
                throw new ParkingException(
                    reason.ReplyCode == Constants.NotFound
                        ? $"Found no exchange '{exchange}' to replay through; nothing was moved. Run 'retryctl topology verify', which prints the command that declares it with all its points."
                        : $"Queue '{queue}' could not be bound to '{exchange}'; nothing was moved: {reason.ReplyText}. Without that binding the messages would not reach the queue. Use a user who may write to the queue and read the exchange.",
                    exception);
            }
        }
    }

    private async Task<QueueDeclareOk?> WaitForLimiterAsync(string release, QueueDeclareOk found, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var last = found;
        while (last is { ConsumerCount: 0 } && time.GetElapsedTime(started) < Patience)
        {
            await Task.Delay(LookPause, time, cancellationToken).ConfigureAwait(false);
            last = await FindQueueAsync(release, cancellationToken).ConfigureAwait(false);
        }

        return last;
    }

    // the limiters of a paused point do not consume its release queue, and nothing may pass the pause
    private async Task<string?> WhoPausedAsync(RetryPointNames names, CancellationToken cancellationToken)
    {
        try
        {
            var report = await new LimiterControl(connection, time).ReadAsync(names.Work, cancellationToken).ConfigureAwait(false);
            return report.Setting is { Paused: true } setting ? setting.By ?? "an operator" : null;
        }
        catch (LimiterException exception)
        {
            throw new ParkingException(
                $"Queue '{names.Release}' has no consumer, and the replay could not find out whether point '{names.Work}' is paused, so nothing was moved. {exception.Message}",
                exception);
        }
    }

    private async Task<QueueDeclareOk?> FindQueueAsync(string queue, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        try
        {
            return await look.FindQueueAsync(queue, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason is { } reason)
        {
            throw new ParkingException($"The broker refused a look at queue '{queue}', so nothing was moved: {reason.ReplyCode} {reason.ReplyText}.", exception);
        }
    }
}
