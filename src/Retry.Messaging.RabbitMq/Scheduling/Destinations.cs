namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Which destinations take messages at the moment. One that does not gets a message now and then, and holds up no other.</summary>
/// <remarks>
/// <list type="number">
/// <item>Each destination has a lane, a channel, to itself. At the first message of a channel to a quorum queue the broker waits for the
/// queue, for a minute where it is silent, and with it all that is behind it on the channel; and of a channel that a queue owes 32 confirms
/// the broker reads a few hundred messages more, and then nothing from the whole connection. <see cref="Window"/> is fewer than these.</item>
/// <item>One message goes ahead on a new lane. The others wait for its answer.</item>
/// <item>A destination that has refused a message, or not confirmed one in time, rests. Its messages climb again unsent meanwhile, so that
/// there can be no second copy of them. Each rest is twice as long as the one before, up to <see cref="LongestRest"/>.</item>
/// <item>When it has rested, one message is sent to ask. A confirm ends the rests.</item>
/// <item>What waits for a place with a silent one is held, and cannot be sent to others. When <see cref="MostWaiting"/> wait, those climb
/// whose destination has answered nothing for <see cref="Hesitation"/>.</item>
/// <item>A lane that was silent to the last is given back, and opened anew before anybody else gets it.</item>
/// </list>
/// </remarks>
/// <param name="firstRest">How long the first rest lasts.</param>
/// <param name="lanes">How many lanes there are: so many destinations can be sent to at once.</param>
/// <param name="time">The clock.</param>
internal sealed class Destinations(TimeSpan firstRest, int lanes, TimeProvider time)
{
    /// <summary>How long a rest may last.</summary>
    public static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

    /// <summary>How long a destination may answer nothing before what waits for it is in the way.</summary>
    public static readonly TimeSpan Hesitation = TimeSpan.FromMilliseconds(100);

    /// <summary>How long what is in the way climbs at least: the destination may be slow, and not ill.</summary>
    public static readonly TimeSpan ShortRest = TimeSpan.FromSeconds(1);

    /// <summary>How many unconfirmed messages a destination may hold.</summary>
    public const int Window = 128;

    /// <summary>How many may wait for places before some are in the way.</summary>
    public const int MostWaiting = 1000;

    private readonly Dictionary<(string Exchange, string RoutingKey), Destination> _all = [];
    private readonly Stack<int> _free = new(Enumerable.Range(0, lanes).Reverse());
    private int _mostKnown = 1000;
    private int _waiting;
    private bool _isWatched;
    private bool _isOver;

    /// <summary>Takes a place with a destination; who has one gives it back by <see cref="Leave"/>.</summary>
    /// <param name="exchange">The exchange of the destination.</param>
    /// <param name="routingKey">Its routing key.</param>
    /// <param name="cancellationToken">Cancelled when all of it is over: a place that is given nevertheless is nobody's.</param>
    /// <returns>The lane to send it on; or for how long that is of no use.</returns>
    public async ValueTask<DestinationPlace> EnterAsync(string exchange, string routingKey, CancellationToken cancellationToken)
    {
        Destination destination;
        TaskCompletionSource<DestinationPlace> waiting;
        lock (_all)
        {
            destination = Find(exchange, routingKey);
            if (RestOf(destination) is { } rest)
            {
                return None(destination, rest);
            }

            destination.QuietSince = destination.IsIdle ? time.GetTimestamp() : destination.QuietSince;
            if (IsInTheWay(destination))
            {
                return None(destination, ShortRest);
            }

            waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
            destination.Waiting.Enqueue(waiting);
            _waiting++;
            Serve(destination);
            if (_waiting > 0 && !_isWatched)
            {
                _isWatched = true;
                _ = WatchAsync();
            }
        }

        return await waiting.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives a place back.</summary>
    /// <param name="place">The place.</param>
    /// <param name="answer">What the destination did with the message.</param>
    /// <returns>Whether the place's lane must be opened anew, and be given back by <see cref="Free"/> then.</returns>
    public bool Leave(DestinationPlace place, DestinationAnswer answer)
    {
        lock (_all)
        {
            var destination = place.Destination;
            destination.Held--;
            destination.IsLaneSilent = answer == DestinationAnswer.Silent || (destination.IsLaneSilent && answer == DestinationAnswer.Refused);
            destination.IsProven = answer == DestinationAnswer.Settled;
            if (destination.IsProven)
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
            Serve(destination);
            if (!destination.IsLaneSilent || destination.Held > 0)
            {
                return false;
            }

            (destination.Lane, destination.IsLaneSilent) = (null, false);
            return true;
        }
    }

    /// <summary>Nobody who waits is answered any more.</summary>
    public void Close()
    {
        lock (_all)
        {
            _isOver = true;
        }
    }

    /// <summary>Gives a lane back that has been opened anew.</summary>
    public void Free(int lane)
    {
        lock (_all)
        {
            _free.Push(lane);
        }
    }

    private static DestinationPlace None(Destination destination, TimeSpan rest) => new(destination, default, rest);

    private Destination Find(string exchange, string routingKey)
    {
        if (_all.TryGetValue((exchange, routingKey), out var known))
        {
            return known;
        }

        if (_all.Count >= _mostKnown)
        {
            foreach (var (key, _) in _all.Where(one => one.Value is { IsIdle: true, Lane: null } && RestOf(one.Value) is null).ToList())
            {
                _all.Remove(key);
            }

            _mostKnown = Math.Max(_mostKnown, 2 * _all.Count);
        }

        return _all[(exchange, routingKey)] = new Destination();
    }

    // over, one message asks, when nothing that was sent before is unanswered
    private TimeSpan? RestOf(Destination destination) =>
        destination.Rest is { } rest && (destination.Held > 0 || time.GetElapsedTime(destination.RestsSince) < rest) ? rest : null;

    private bool IsInTheWay(Destination destination) => _waiting >= MostWaiting && time.GetElapsedTime(destination.QuietSince) >= Hesitation;

    // the places that are free are given to those who wait longest; all of them climb where there is none any more
    private void Serve(Destination destination)
    {
        while (destination.Waiting.TryPeek(out var first))
        {
            if (RestOf(destination) is { } rest)
            {
                Answer(first, None(destination, rest));
            }
            else if (TryTake(destination) is { } place)
            {
                Answer(first, place);
            }
            else
            {
                return;
            }

            destination.Waiting.Dequeue();
        }
    }

    // One looks for all who wait. Each for itself, thousands would look ten times a second, and cost more than what they wait for.
    private async Task WatchAsync()
    {
        while (true)
        {
            await Task.Delay(Hesitation, time, CancellationToken.None).ConfigureAwait(false);
            lock (_all)
            {
                foreach (var destination in _all.Values.Where(one => one.Waiting.Count > 0))
                {
                    // another destination's lane may have become free meanwhile
                    Serve(destination);
                    while (destination.Waiting.Count > 0 && IsInTheWay(destination))
                    {
                        Answer(destination.Waiting.Dequeue(), None(destination, ShortRest));
                    }
                }

                if (_waiting == 0 || _isOver)
                {
                    _isWatched = false;
                    return;
                }
            }
        }
    }

    private void Answer(TaskCompletionSource<DestinationPlace> waiting, DestinationPlace place)
    {
        waiting.SetResult(place);
        _waiting--;
    }

    private DestinationPlace? TryTake(Destination destination)
    {
        if (destination.Held >= (destination.IsProven ? Window : 1) || (destination.Lane ??= TakeLane()) is not { } lane)
        {
            return null;
        }

        destination.Held++;
        destination.IsAsked = destination.Rest is not null;
        return new(destination, lane, null);
    }

    // one that nobody has, or that of the destination that has been idle for longest
    private int? TakeLane()
    {
        if (_free.TryPop(out var free))
        {
            return free;
        }

        if (_all.Values.Where(one => one is { IsIdle: true, Lane: not null }).MinBy(one => one.QuietSince) is not { } idle)
        {
            return null;
        }

        var lane = idle.Lane;
        (idle.Lane, idle.IsProven) = (null, false);
        return lane;
    }
}
