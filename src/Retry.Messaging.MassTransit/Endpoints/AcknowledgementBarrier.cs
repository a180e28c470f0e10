using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>The channel of an endpoint, which waits now and then for the broker once its consumer has been cancelled.</summary>
/// <remarks>
/// The broker's channel has some 32 commands on their way to a quorum queue, keeps what else comes, and forgets that when it is
/// closed. MassTransit cancels its consumer, lets what runs end, acknowledges it and closes: what was kept by then comes again,
/// although it was parked or done. So every 32nd acknowledgement waits for a command that the queue answers in its turn, a
/// consumer that is begun and cancelled: at most the 31 after it are on their way at the end, and none is kept. MassTransit waits
/// for its consumers, so it waits for this, and closes the channel all the same when its own patience ends.
/// </remarks>
#pragma warning disable CA1001 // MassTransit disposes no contexts of a filter, and a semaphore without a wait handle holds nothing
internal sealed partial class AcknowledgementBarrier(
    ChannelContext context,
    string queue,
    ILogger logger) : ScopeChannelContext(context, context.CancellationToken), ChannelContext
#pragma warning restore CA1001
{
    private const long Window = 32;
    private const ushort Least = 1;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly ChannelContext _context = context;
    private readonly SemaphoreSlim _one = new(1, 1);
    private volatile bool _waits;
    private long _settled;
    private long _written;

    async Task ChannelContext.BasicCancel(string consumerTag, CancellationToken cancellationToken)
    {
        // before it is sent: what is acknowledged earlier is waited for by the broker itself, with its answer
        _waits = true;
        try
        {
            await _context.BasicCancel(consumerTag, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            _waits = false;
            throw;
        }
    }

    ValueTask ChannelContext.BasicAck(ulong deliveryTag, bool multiple, CancellationToken cancellationToken)
    {
        var settling = _context.BasicAck(deliveryTag, multiple, cancellationToken);
        return _waits ? new ValueTask(WrittenAsync(settling.AsTask())) : settling;
    }

    Task ChannelContext.BasicNack(ulong deliveryTag, bool multiple, bool requeue, CancellationToken cancellationToken)
    {
        var settling = _context.BasicNack(deliveryTag, multiple, requeue, cancellationToken);
        return _waits ? WrittenAsync(settling) : settling;
    }

    private async Task WrittenAsync(Task settling)
    {
        await settling.ConfigureAwait(false);
        var number = Interlocked.Increment(ref _settled);
        if (number % Window != 0)
        {
            return;
        }

        await _one.WaitAsync().ConfigureAwait(false);
        try
        {
            // one wait serves all that was sent before it began
            if (_waits && _written < number)
            {
                var sent = Interlocked.Read(ref _settled);
                await AnswerAsync().ConfigureAwait(false);
                _written = sent;
            }
        }
#pragma warning disable CA1031 // whatever it is, the stop goes on; what is not written comes again, as after a lost connection
        catch (Exception exception)
        {
            _waits = false;
            LogUnwritten(
                queue,
                exception is OperationCanceledException ? $"it did not answer within {Patience.TotalSeconds:0} s" : exception.Message.TrimEnd('.'));
        }
#pragma warning restore CA1031
        finally
        {
            _one.Release();
        }
    }

    private async Task AnswerAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken);
        patience.CancelAfter(Patience);
        await Channel.BasicQosAsync(0, Least, global: false, patience.Token).ConfigureAwait(false);
        // Other consumers come first. What it is sent all the same stays unanswered until the channel closes: given back at
        // once it would be the next one's again, and counted as returned once for each.
        var last = new Dictionary<string, object?> { ["x-priority"] = int.MinValue };
        var tag = await Channel.BasicConsumeAsync(
            queue,
            autoAck: false,
            consumerTag: string.Empty,
            noLocal: false,
            exclusive: false,
            last,
            new AsyncDefaultBasicConsumer(Channel),
            patience.Token).ConfigureAwait(false);
        await Channel.BasicCancelAsync(tag, noWait: false, patience.Token).ConfigureAwait(false);
    }

    [LoggerMessage(LogEvents.AcknowledgementsUnanswered, LogLevel.Warning, "{Queue}: the endpoint stopped before the broker confirmed its last acknowledgements ({Reason}). What the broker has not written as acknowledged comes again, although it was done or parked")]
    private partial void LogUnwritten(string queue, string reason);
}
