using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Holding;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>The channels and consumers over which a <see cref="LotReader"/> holds the messages of one queue.</summary>
/// <remarks>
/// Where messages are taken out, each consumer has a channel of its own: a broker's channel looks for an acknowledged message from
/// its oldest one on, so between 40,000 held ones a few thousand acknowledgements took minutes. Those are opened several at once: a
/// broker that holds a million messages takes up to a second to open one, and fills it in a third of that (a replay took 633 s, then 255).
/// </remarks>
/// <param name="connection">Opens the channels.</param>
/// <param name="questions">The channel of the questions.</param>
/// <param name="queue">The queue.</param>
/// <param name="takesOut">Whether messages are acknowledged while others are held.</param>
/// <param name="nacks">Whether what was held is given back by a nack.</param>
/// <param name="time">The clock.</param>
internal sealed class LotChannels(IConnection connection, IChannel questions, string queue, bool takesOut, bool nacks, TimeProvider time)
    : IAsyncDisposable
{
    // the prefetch of the first consumer, before anything is known about sizes
    private const ushort FirstWindow = 1000;
    private const int SmallestWindow = 100;
    // the protocol's field has 16 bits
    private const int LargestWindow = 65_000;
    // What one consumer may have on its way to us, so that large messages take no more memory than small ones. Room for two is kept free.
    private const long WindowBytes = 16L * 1024 * 1024;
    private const int WindowsAhead = 2;
    private const int HeaderBytes = 2048;
    private const ulong EveryDelivery = 0;
    // What a broker's channel looks through at most to find one acknowledged message.
    private const int TakingWindow = 2000;

    // a million messages are read in a minute or two, and replayed in some more
    private static readonly TimeSpan LongestReading = TimeSpan.FromHours(6);

    // How long the ready count may stand still before another reader is assumed to have the rest, and how often it is read.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PauseBetweenQuestions = TimeSpan.FromMilliseconds(20);

    // between two questions, by whoever parks; what was held comes back by the thousand
    private const int MostParkedMeanwhile = 50;

    private readonly Lock _adding = new();
    private readonly List<IChannel> _channels = [];
    private readonly List<(IChannel Channel, string Tag)> _consumers = [];
    // how many messages all consumers together can hold
    private long _capacity;
    // the room that is kept free, in messages
    private long _ahead = FirstWindow;
    private bool _mayAskForTime = true;

    /// <summary>Whether more consumers are due: those that are added when there is room no more come too late, and the broker idles meanwhile.</summary>
    /// <param name="counts">What became of the deliveries so far.</param>
    public bool IsScarce(LotCounts counts) => _capacity - counts.Held < AheadOf(counts);

    /// <summary>How many messages are ready.</summary>
    public Task<uint> CountReadyAsync(CancellationToken cancellationToken) => questions.MessageCountAsync(queue, cancellationToken);

    /// <summary>How many messages are ready, and whether anybody else consumes the queue.</summary>
    public async Task<(uint Ready, bool OthersRead)> LookAsync(CancellationToken cancellationToken)
    {
        var found = await questions.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false);
        return (found.MessageCount, found.ConsumerCount > _consumers.Count);
    }

    /// <summary>Adds consumers until there is as much room as memory allows.</summary>
    /// <param name="counts">What became of the deliveries so far.</param>
    /// <param name="consumer">Makes the consumer of a channel.</param>
    /// <param name="cancellationToken">Stops waiting for the broker.</param>
    public async Task AddConsumersAsync(LotCounts counts, Func<IChannel, IAsyncBasicConsumer> consumer, CancellationToken cancellationToken)
    {
        if (_consumers.Count == 0)
        {
            await AddFirstAsync(consumer, cancellationToken).ConfigureAwait(false);
            return;
        }

        // a connection has at most 2,047 channels by default, so far into a very large lot their windows grow
        var largest = Math.Clamp(WindowBytes / (HeaderBytes + counts.BodyBytes), SmallestWindow, LargestWindow);
        _ahead = WindowsAhead * largest;
        var window = takesOut ? Math.Min(largest, TakingWindow << Math.Min(5, _consumers.Count / 500)) : largest;
        var missing = Math.Max(1, (AheadOf(counts) - (_capacity - counts.Held) + window - 1) / window);
        if (takesOut)
        {
            await Task.WhenAll(Enumerable.Range(0, (int)missing).Select(_ => AddAsync((ushort)window, consumer, cancellationToken))).ConfigureAwait(false);
        }
        else
        {
            // on one channel the prefetch is that of the next consumer
            await AddAsync((ushort)window, consumer, cancellationToken).ConfigureAwait(false);
        }
    }

    // no more than what is left may need, and what is parked meanwhile comes between
    private long AheadOf(LotCounts counts) => Math.Min(_ahead, counts.Left + FirstWindow);

    private async Task AddFirstAsync(Func<IChannel, IAsyncBasicConsumer> consumer, CancellationToken cancellationToken)
    {
        try
        {
            await AddAsync(FirstWindow, consumer, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (_mayAskForTime && exception.ShutdownReason?.ReplyCode == Constants.PreconditionFailed)
        {
            // RabbitMQ 4.3 takes that argument on quorum queues alone, where alone it has a timeout; error queues of others are classic
            _mayAskForTime = false;
            await _channels[^1].DisposeAsync().ConfigureAwait(false);
            _channels.Clear();
            await AddAsync(FirstWindow, consumer, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task AddAsync(ushort window, Func<IChannel, IAsyncBasicConsumer> consumer, CancellationToken cancellationToken)
    {
        var channel = takesOut || _channels.Count == 0 ? await OpenAsync(cancellationToken).ConfigureAwait(false) : _channels[0];
        await channel.BasicQosAsync(0, window, global: false, cancellationToken).ConfigureAwait(false);
        var tag = await channel.BasicConsumeAsync(
            queue,
            autoAck: false,
            string.Empty,
            noLocal: false,
            exclusive: false,
            _mayAskForTime ? ConsumerPatience.For(LongestReading) : null,
            consumer(channel),
            cancellationToken).ConfigureAwait(false);
        lock (_adding)
        {
            _consumers.Add((channel, tag));
            _capacity += window;
        }
    }

    private async Task<IChannel> OpenAsync(CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        lock (_adding)
        {
            _channels.Add(channel);
        }

        return channel;
    }

    /// <summary>Closes the consumers' channels, which makes everything ready again that was not acknowledged, and waits for that.</summary>
    /// <param name="unsettled">Tells how many deliveries were not acknowledged, once no more arrive.</param>
    public async Task GiveBackAsync(Func<long> unsettled)
    {
        try
        {
            // The broker's channel holds acknowledgements back when many come at once, and forgets those when it closes: up to
            // 750 of 3,000 messages came back. Cancelling waits in line behind what was sent, and then the rest follows.
            foreach (var (channel, tag) in _consumers)
            {
                await channel.BasicCancelAsync(tag, noWait: false, CancellationToken.None).ConfigureAwait(false);
            }

        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            // gone already, and with it every delivery that was held
        }

        try
        {
            var ready = await CountReadyAsync(CancellationToken.None).ConfigureAwait(false);
            foreach (var channel in nacks ? _channels : [])
            {
                await channel.BasicNackAsync(EveryDelivery, multiple: true, requeue: true, CancellationToken.None).ConfigureAwait(false);
            }

            await CloseAllAsync(_channels).ConfigureAwait(false);
            _channels.Clear();
            if (unsettled() is > 0 and var held)
            {
                await WaitUntilReadyAsync(ready + held).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            // as above: the broker gives it back all the same
        }
    }

    public async ValueTask DisposeAsync() => await CloseAllAsync([.. _channels, questions]).ConfigureAwait(false);

    // The broker gives back what a channel held a moment after it has closed it. The next reader, for example the replay after its preview,
    // counts what is ready and would find less than there is. What others park meanwhile counts, too: it has stood for 500 messages that
    // were not back. As long as many come at once, some of them are ours.
    private async Task WaitUntilReadyAsync(long wanted)
    {
        var before = -1L;
        var isReached = false;
        for (var quiet = TimeSpan.Zero; quiet < Patience; quiet += PauseBetweenQuestions)
        {
            var ready = await CountReadyAsync(CancellationToken.None).ConfigureAwait(false);
            if (ready == wanted || (ready > wanted && ready - before <= MostParkedMeanwhile))
            {
                return;
            }

            // others may park so fast that there is no end to it
            isReached |= ready > wanted;
            quiet = ready == before || isReached ? quiet : TimeSpan.Zero;
            before = ready;
            await Task.Delay(PauseBetweenQuestions, time).ConfigureAwait(false);
        }
    }

    private static async Task CloseAllAsync(IEnumerable<IChannel> channels)
    {
        foreach (var channel in channels)
        {
            try
            {
                await channel.CloseAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
            {
                // gone already
            }

            await channel.DisposeAsync().ConfigureAwait(false);
        }
    }
}
