using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Puts a copy in the place of each message that its queue would drop if it were given back.</summary>
/// <remarks>
/// Quorum queues before RabbitMQ 4.3 count what a reader gives back, and drop what came back too often: after 21 lists an error queue
/// with MassTransit's settings was empty on 4.0 (measured). A copy begins at zero. It is the same but for that count and its place.
/// </remarks>
/// <param name="connection">Publishes.</param>
/// <param name="source">The queue.</param>
/// <param name="limit">How often it takes a message back.</param>
/// <param name="time">The clock.</param>
internal sealed class LotRenewal(IConnection connection, LotSource source, long limit, TimeProvider time) : IAsyncDisposable
{
    private const int Window = 500;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConfirmedPublisher _publisher = new(connection, Window, time);
    private readonly SemaphoreSlim _window = new(Window, Window);
    private Exception? _failure;
    private int _mostReturns;

    /// <summary>Whether a message must not be given back.</summary>
    public bool Concerns(IReadOnlyBasicProperties properties)
    {
        var returns = Republication.Returns(properties);
        if (!DeliveryLimit.IsNear(limit, returns))
        {
            return false;
        }

        _mostReturns = Math.Max(_mostReturns, returns);
        return true;
    }

    /// <summary>Begins to put a copy in a message's place; many at once.</summary>
    /// <param name="delivery">The message, with its properties and body.</param>
    /// <param name="acknowledge">Takes the message out, when its copy is confirmed.</param>
    public async Task BeginAsync(LotDelivery delivery, Func<LotDelivery, ValueTask> acknowledge)
    {
        // what cannot be renewed goes back; some returns are left for that
        if (_failure is null && await EnterAsync().ConfigureAwait(false))
        {
            _ = RunAsync(delivery, acknowledge);
        }
    }

    /// <summary>Tells what went wrong.</summary>
    /// <exception cref="ParkingException">A copy could not be published.</exception>
    public void ThrowIfFailed()
    {
        // what is only guessed stops nobody from looking until the broker's own default is near
        if (_failure is { } failure && (!source.IsLimitGuessed || DeliveryLimit.IsNear(DeliveryLimit.Default, _mostReturns)))
        {
            throw new ParkingException(
                $"Queue '{source.Queue}' drops a message that was given back to it too often. Its messages were given back {_mostReturns} times, and could not be put into it anew: {failure.Message} Read it as a user who may write to it, or raise its delivery limit first.",
                failure);
        }
    }

    /// <summary>Waits until all copies are in their places, or could not be published.</summary>
    public async ValueTask DisposeAsync()
    {
        for (var entered = 0; entered < Window && await EnterAsync().ConfigureAwait(false); entered++)
        {
            // what enters waits for one that is on its way
        }

        await _publisher.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<bool> EnterAsync()
    {
        if (await _window.WaitAsync(Patience, CancellationToken.None).ConfigureAwait(false))
        {
            return true;
        }

        _failure ??= new TimeoutException($"The broker confirmed nothing for {Patience.TotalSeconds:0} s.");
        return false;
    }

    private async Task RunAsync(LotDelivery delivery, Func<LotDelivery, ValueTask> acknowledge)
    {
        try
        {
            await _publisher.PublishAsync(
                string.Empty,
                source.Queue,
                Republication.InPlace(delivery.Properties!),
                delivery.BodyToRenew,
                CancellationToken.None).ConfigureAwait(false);
            await acknowledge(delivery).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // the end of the reading tells it, after everything else was given back
        catch (Exception exception)
        {
            _failure ??= exception;
        }
#pragma warning restore CA1031
        finally
        {
            _window.Release();
        }
    }
}
