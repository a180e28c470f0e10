using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Publishes the copies that a plan makes, on one channel.</summary>
/// <remarks>A copy that is sent over another connection than the lock's would come from a plan that was given up.</remarks>
/// <param name="connection">The connection.</param>
/// <param name="plan">The plan's id.</param>
internal sealed class PlanCopies(IConnection connection, string plan) : IAsyncDisposable
{
    private readonly ConfirmedPublisher _publisher = new(connection) { Reopens = false };

    /// <summary>Publishes a copy, and waits for its confirm. Where a run that was cut off may have sent it before, it says so.</summary>
    /// <param name="exchange">The exchange.</param>
    /// <param name="routingKey">The routing key.</param>
    /// <param name="properties">The copy's properties.</param>
    /// <param name="message">The message, with its body.</param>
    /// <param name="to">The queue that it goes to, for people.</param>
    /// <exception cref="ParkingException">The broker refused it.</exception>
    public async Task SendAsync(string exchange, string routingKey, BasicProperties properties, ParkedMessage message, string to)
    {
        MarkWhatMayBeThere(properties.Headers!, message);
        HeaderFrame.Fit(properties, connection.FrameMax);
        try
        {
            // not cancellable: once sent, only the confirm tells whether the message may go
            await _publisher.PublishAsync(exchange, routingKey, properties, message.Body!.Value, CancellationToken.None).ConfigureAwait(false);
        }
        catch (PublishRefusedException exception)
        {
            throw new ParkingException(
                $"Sending to '{to}' stopped: {exception.Message} Messages that were not moved are still where they were. When the cause is gone, 'retryctl plans resume {plan}' goes on, and 'retryctl plans cancel {plan}' gives the rest up.",
                exception);
        }
    }

    // a mark stays: what may have arrived before may have done so whatever becomes of it later
    private static void MarkWhatMayBeThere(IDictionary<string, object?> headers, ParkedMessage message)
    {
        if (message.EarlierRuns > 0)
        {
            var before = headers.TryGetValue(RetryHeaderNames.Repeated, out var value) && value is int times ? times : 0;
            headers[RetryHeaderNames.Repeated] = before + message.EarlierRuns;
        }
    }

    public ValueTask DisposeAsync() => _publisher.DisposeAsync();
}
