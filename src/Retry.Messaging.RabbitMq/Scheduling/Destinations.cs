namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Which destinations take messages at the moment. One that does not gets a message now and then, and holds up no other.</summary>
/// <remarks>
/// <list type="number">
/// <item>A destination that has refused a message, or not confirmed one in time, rests. Its messages climb again unsent meanwhile, so that
/// there can be no second copy of them. Each rest is twice as long as the one before, up to <see cref="LongestRest"/>.</item>
/// <item>When it has rested, one message is sent to ask. A confirm ends the rests.</item>
/// <item>A destination may hold <see cref="Window"/> messages unconfirmed. Those above wait for a place as long as it confirms any, and climb when
/// it has confirmed none for <see cref="Hesitation"/>: what lies with a silent one cannot be sent to others.</item>
/// <item>They are spread over several channels: where a quorum queue owes a channel many confirms, the broker seems to stop reading from its
/// connection, for all destinations.</item>
/// </list>
/// </remarks>
/// <param name="firstRest">How long the first rest lasts.</param>
/// <param name="time">The clock.</param>
internal sealed class Destinations(TimeSpan firstRest, TimeProvider time)
{
    /// <summary>How long a rest may last.</summary>
    public static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

    /// <summary>How long a destination may confirm nothing before what has no place with it climbs.</summary>
    public static readonly TimeSpan Hesitation = TimeSpan.FromMilliseconds(500);

    /// <summary>How long such a message climbs at least: the destination may be slow, and not ill.</summary>
    public static readonly TimeSpan ShortRest = TimeSpan.FromSeconds(1);

    /// <summary>Over how many channels messages go out.</summary>
    public const int Channels = 8;

    /// <summary>How many unconfirmed messages a destination may hold.</summary>
    public const int Window = Channels * WindowOfChannel;

    private const int WindowOfChannel = 24;

    private readonly Dictionary<(string Exchange, string RoutingKey), Destination> _all = [];

    /// <summary>Takes a place with a destination; who has one gives it back by <see cref="Leave"/>.</summary>
    /// <returns>The channel to send it on; or for how long that is of no use.</returns>
    public async ValueTask<DestinationPlace> EnterAsync(string exchange, string routingKey, CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource place;
            lock (_all)
            {
                var now = time.GetTimestamp();
                if (!_all.TryGetValue((exchange, routingKey), out var destination))
                {
                    destination = _all[(exchange, routingKey)] = new Destination { QuietSince = now };
                }

                if (destination.Rest is { } rest && (destination.IsAsked || time.GetElapsedTime(destination.RestsSince, now) < rest))
                {
                    return new(0, rest);
                }

                var channel = destination.Held.IndexOf(destination.Held.Min());
                if (destination.Held[channel] < WindowOfChannel)
                {
                    destination.IsAsked = destination.Rest is not null;
                    destination.QuietSince = destination.IsIdle ? now : destination.QuietSince;
                    destination.Held[channel]++;
                    return new(channel, null);
                }

                if (time.GetElapsedTime(destination.QuietSince, now) >= Hesitation)
                {
                    return new(0, ShortRest);
                }

                place = new(TaskCreationOptions.RunContinuationsAsynchronously);
                destination.Waiting.Enqueue(place);
            }

            await place.Task.WaitAsync(Hesitation, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // who does not wait any more takes no place from those behind
            place.TrySetCanceled(CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Gives the place back.</summary>
    /// <param name="exchange">The exchange.</param>
    /// <param name="routingKey">The routing key.</param>
    /// <param name="channel">The channel of the place.</param>
    /// <param name="confirmed">Whether the destination has answered, also that there is none; otherwise it refused the message, or was silent.</param>
    public void Leave(string exchange, string routingKey, int channel, bool confirmed)
    {
        lock (_all)
        {
            var destination = _all[(exchange, routingKey)];
            destination.Held[channel]--;
            if (confirmed)
            {
                destination.QuietSince = time.GetTimestamp();
                destination.Rest = null;
            }
            else if (destination.Rest is null || destination.IsAsked)
            {
                var rest = destination.Rest * 2 ?? firstRest;
                destination.Rest = rest < LongestRest ? rest : LongestRest;
                destination.RestsSince = time.GetTimestamp();
            }

            destination.IsAsked = false;
            while (destination.Waiting.TryDequeue(out var place) && (!place.TrySetResult() || destination.Rest is not null))
            {
                // one for one place, and all of them where there is none any more
            }

            if (destination is { IsIdle: true, Rest: null, Waiting.Count: 0 })
            {
                _all.Remove((exchange, routingKey));
            }
        }
    }

    private sealed class Destination
    {
        /// <summary>Unconfirmed messages, by channel.</summary>
        public List<int> Held { get; } = [.. Enumerable.Repeat(0, Channels)];

        public bool IsIdle => Held.TrueForAll(held => held == 0);

        public long QuietSince { get; set; }

        public TimeSpan? Rest { get; set; }

        public long RestsSince { get; set; }

        public bool IsAsked { get; set; }

        public Queue<TaskCompletionSource> Waiting { get; } = new();
    }
}
