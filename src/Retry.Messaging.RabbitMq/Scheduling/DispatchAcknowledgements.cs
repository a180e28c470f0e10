using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Acknowledges what a dispatcher has handed over, some milliseconds' worth at a time.</summary>
/// <param name="channel">The channel of the deliveries.</param>
/// <param name="failed">Told when that is not possible any more.</param>
/// <param name="time">The clock.</param>
internal sealed class DispatchAcknowledgements(IChannel channel, Action<Exception> failed, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly DoneDeliveries _done = new();
    private Task _telling = Task.CompletedTask;

    /// <summary>Gets what completes when all is told that is done by now.</summary>
    public Task Told
    {
        get
        {
            lock (_lock)
            {
                return _telling;
            }
        }
    }

    /// <summary>Notes that a delivery is done.</summary>
    public void Done(ulong tag)
    {
        lock (_lock)
        {
            var isTelling = _done.HasMore;
            _done.Add(tag);
            if (!isTelling)
            {
                _telling = TellAsync(_telling);
            }
        }
    }

    private async Task TellAsync(Task before)
    {
        // in order: the broker closes a channel that acknowledges what lies behind an acknowledgement
        await before.ConfigureAwait(false);
        try
        {
            var hasMore = true;
            while (hasMore)
            {
                await Task.Delay(Pause, time, CancellationToken.None).ConfigureAwait(false);
                (ulong? UpTo, IReadOnlyCollection<ulong> Singles) told;
                lock (_lock)
                {
                    told = _done.Take();
                    hasMore = _done.HasMore;
                }

                if (told.UpTo is { } upTo)
                {
                    await channel.BasicAckAsync(upTo, multiple: true, CancellationToken.None).ConfigureAwait(false);
                }

                foreach (var tag in told.Singles)
                {
                    await channel.BasicAckAsync(tag, multiple: false, CancellationToken.None).ConfigureAwait(false);
                }
            }
        }
#pragma warning disable CA1031 // whatever it was, what is not acknowledged comes again
        catch (Exception exception)
        {
            failed(exception);
        }
#pragma warning restore CA1031
    }
}
