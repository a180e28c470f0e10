using Microsoft.Extensions.Logging;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>Publishes the outcome of an attempt until the broker has confirmed it.</summary>
/// <remarks>
/// The outcome is kept, not the message: while no confirm can be had (an alarm, a missing exchange, a full queue) the
/// delivery stays unacknowledged, the publish is repeated and the consumer does not run again; the prefetch limit throttles
/// the intake. Requeueing instead would run the consumer again and again and end at the broker's delivery limit.
/// </remarks>
internal sealed partial class OutcomePublisher(TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan LongConfirm = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortestConfirm = TimeSpan.FromSeconds(1);

    private readonly OncePer _noWayLeft = new(OutcomeHold.BetweenLines, time);

    /// <summary>What is held until the broker takes it.</summary>
    public OutcomeHold Held { get; } = new(time, random, logger);

    /// <summary>Publishes until confirmed.</summary>
    /// <param name="point">The point whose outcome it is.</param>
    /// <param name="connection">The connection that the delivery came by.</param>
    /// <param name="declared">Completes when the point has been declared on this connection: before, an outcome would end in the lost queue.</param>
    /// <param name="hold">How long the delivery may be held.</param>
    /// <param name="message">What to publish, asked for anew before each try, since the rest of a delay shrinks.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <exception cref="OutcomeNotConfirmedException">Held for too long, or the connection is gone: the delivery must go back.</exception>
    public async Task PublishAsync(
        PointTelemetry point,
        RetryConnection connection,
        Func<CancellationToken, Task> declared,
        DeliveryHold hold,
        Func<OutcomeMessage> message,
        CancellationToken cancellationToken)
    {
        try
        {
            await PublishWhereItBelongsAsync(point, connection, declared, hold, message, cancellationToken).ConfigureAwait(false);
        }
        catch (OutcomeNotConfirmedException exception) when (exception.WasHeldTooLong && hold.IsLast)
        {
            await PublishAsLostAsync(point, connection, message, exception, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task PublishWhereItBelongsAsync(
        PointTelemetry point,
        RetryConnection connection,
        Func<CancellationToken, Task> declared,
        DeliveryHold hold,
        Func<OutcomeMessage> message,
        CancellationToken cancellationToken)
    {
        var isFirst = true;
        return Held.RepeatAsync(point, hold, () => connection.IsOpen, exception => IsWorthAnotherTry(exception, cancellationToken), async held =>
        {
            await DeclaredAsync(declared, cancellationToken).ConfigureAwait(false);
            var (exchange, routingKey, properties, body) = message();
            var cut = HeaderFrame.Fit(properties, connection.FrameMax);
            if (cut.Count > 0 && isFirst)
            {
                LogHeadersCut(
                    point.Queue,
                    HeaderText.OneLine(properties.MessageId ?? "without an id", RetryState.MaxId),
                    HeaderText.OneLine(string.Join(", ", cut), RetryState.MaxError),
                    connection.FrameMax);
            }

            isFirst = false;
            var publishing = point.Publishing();
            await WatchAsync(
                held,
                hold,
                connection,
                connection.PublishAsync(exchange, routingKey, properties, body, cancellationToken),
                point.Health.Held.Stopping).ConfigureAwait(false);
            point.Confirmed(publishing);
        }, cancellationToken);
    }

    // One more return and the broker would drop the message. The lost queue takes what has no way to where it belongs, keeps its
    // attempts, and lets it go on as soon as there is one.
    private async Task PublishAsLostAsync(
        PointTelemetry point,
        RetryConnection connection,
        Func<OutcomeMessage> outcome,
        OutcomeNotConfirmedException cause,
        CancellationToken cancellationToken)
    {
        var id = "without an id";
        var why = OutcomeHold.AsSentence(cause.InnerException is { } refusal ? OutcomeHold.Refusal(refusal) : cause.Message);
        try
        {
            var message = outcome();
            id = HeaderText.OneLine(message.Properties.MessageId ?? id, RetryState.MaxId);
            HeaderFrame.Fit(message.Properties, connection.FrameMax);
            await connection.PublishAsync(BrokerNames.LostExchange, message.RoutingKey, message.Properties, message.Body, cancellationToken)
                .WaitAsync(LongConfirm, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsWorthAnotherTry(exception, cancellationToken))
        {
            if (_noWayLeft.IsTime())
            {
                LogNoWayLeft(point.Queue, id, why);
            }

            throw new OutcomeNotConfirmedException(cause.Message, exception);
        }

        LogWentAsLost(point.Queue, id, why);
    }

    // In an alarm the broker stops reading: what is in the socket already gets neither a confirm nor a refusal until it is over.
    // It is not published again, which would be a second copy, but it must not be silent either. An endpoint that stops waits no longer
    // than this once: the delivery goes back, and what the socket took may come as a second copy.
    private async Task WatchAsync(HeldOutcome held, DeliveryHold hold, RetryConnection connection, Task publish, Task stopping)
    {
        while (true)
        {
            var left = hold.Left(time);
            try
            {
                await publish.WaitAsync(left > LongConfirm ? LongConfirm : left > ShortestConfirm ? left : ShortestConfirm, time).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException) when (!publish.IsCompleted && !connection.IsOpen)
            {
                // the client tells one channel after the other, and may never come to ours
                throw new PublishRefusedException("The connection closed.");
            }
            catch (TimeoutException) when (!publish.IsCompleted && hold.Left(time) > TimeSpan.Zero && !stopping.IsCompleted)
            {
                Held.Note(held, connection.Publisher.BlockedReason is { } reason
                    ? $"The broker takes no publishes: {reason}. Free what it is short of; 'rabbitmqctl status' names the alarm."
                    : "The broker is silent. Look for a queue without a majority or a disk that is too slow.");
            }
        }
    }

    // An attempt may fail before its endpoint is ready. What goes to the ladder or the parking lot before the point is bound
    // there is not refused: it ends in the lost queue.
    private static async Task DeclaredAsync(Func<CancellationToken, Task> declared, CancellationToken cancellationToken)
    {
        try
        {
            await declared(cancellationToken).ConfigureAwait(false);
        }
        catch (TopologyException exception) when (exception.IsForbidden)
        {
            // an operator has declared it, or the endpoint has logged that it is missing
        }
    }

    // Whatever it is. An exception that is on no list used to send the delivery back at once: a consumer ran 1,161 times in 8 s
    // because the name of a queue was too long for a routing key.
    private static bool IsWorthAnotherTry(Exception exception, CancellationToken cancellationToken) =>
        exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested;

    [LoggerMessage(LogEvents.OutcomeWentAsLost, LogLevel.Error, "{Queue}: sent message {MessageId} to '" + BrokerNames.LostQueue + "', with its attempts, because its outcome could not be published and the broker would drop it after a few more returns (delivery limit). {Reason} It goes on by itself when there is a way again; 'retryctl lost list' shows it")]
    private partial void LogWentAsLost(string queue, string messageId, string reason);

    [LoggerMessage(LogEvents.OutcomeHasNoWay, LogLevel.Critical, "{Queue}: could not publish the outcome of message {MessageId}, which is near its queue's delivery limit, and '" + BrokerNames.LostQueue + "' does not take it either. {Reason} Raise the queue's delivery limit now: 'retryctl topology apply --point {Queue}' does")]
    private partial void LogNoWayLeft(string queue, string messageId, string reason);

    [LoggerMessage(LogEvents.HeadersCut, LogLevel.Warning, "{Queue}: cut the headers {Names} off message {MessageId}, because with them it would not fit into a frame of {FrameMax} bytes, and the broker would close the connection. Send less in headers, or raise frame_max on broker and clients")]
    private partial void LogHeadersCut(string queue, string messageId, string names, uint frameMax);
}
