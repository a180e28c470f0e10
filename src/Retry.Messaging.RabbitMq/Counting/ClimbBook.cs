using Retry.Messaging.Ladder;

namespace Retry.Messaging.RabbitMq.Counting;

/// <summary>What was sent up the ladder, and so what waits in which of its rungs at a moment: each message leaves them when its time has passed.</summary>
/// <remarks>
/// Messages with one delay that are sent within a thirty-second of it are counted together, so a delay takes some 32 entries however
/// many messages have it, and what leaves a rung late, or was taken out of it, is not seen: the rung's own count on the broker tells.
/// </remarks>
internal sealed class ClimbBook
{
    private const int RunsInADelay = 32;
    private const int Room = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<TimeSpan, List<ClimbRun>> _sent = [];
    private Dictionary<TimeSpan, List<ClimbRun>> _unreported = [];
    private int _runs;
    private int _pruneAt = Room;

    /// <summary>Counts a message that the ladder has taken. One that goes straight back to its queue is not counted.</summary>
    /// <param name="delay">The delay of its route.</param>
    /// <param name="at">When it was sent.</param>
    public void Add(TimeSpan delay, DateTimeOffset at)
    {
        if (delay < DelayLadder.Step)
        {
            return;
        }

        lock (_lock)
        {
            _runs += Add(_sent, delay, at);
            Add(_unreported, delay, at);
            if (_runs > _pruneAt)
            {
                Prune(at);
            }
        }
    }

    /// <summary>Takes in what another book has reported.</summary>
    public void Add(TimeSpan delay, ClimbRun run)
    {
        lock (_lock)
        {
            RunsOf(_sent, delay).Add(run);
        }
    }

    /// <summary>What was added since the last report, in this book and no other. It is gone from here; <see cref="PutBack"/> has it back.</summary>
    public IReadOnlyDictionary<TimeSpan, List<ClimbRun>> TakeUnreported()
    {
        lock (_lock)
        {
            var taken = _unreported;
            _unreported = [];
            return taken;
        }
    }

    /// <summary>Takes back what could not be reported.</summary>
    public void PutBack(IReadOnlyDictionary<TimeSpan, List<ClimbRun>> taken)
    {
        lock (_lock)
        {
            foreach (var (delay, runs) in taken)
            {
                RunsOf(_unreported, delay).InsertRange(0, runs);
            }
        }
    }

    /// <summary>What waits in which rung.</summary>
    public IReadOnlyList<RungWait> WaitingAt(DateTimeOffset now)
    {
        var waits = new Dictionary<(int Level, int Digit), RungWait>();
        lock (_lock)
        {
            Prune(now);
            foreach (var (delay, runs) in _sent)
            {
                foreach (var hop in ClimbPath.Of(delay))
                {
                    foreach (var run in runs)
                    {
                        if (WaitOf(run, hop, now) is { } wait)
                        {
                            waits[(hop.Level, hop.Digit)] = waits.TryGetValue((hop.Level, hop.Digit), out var others) ? others.And(wait) : wait;
                        }
                    }
                }
            }
        }

        return [.. waits.Values.OrderBy(wait => wait.Level).ThenByDescending(wait => wait.Digit)];
    }

    /// <summary>After what time a message of this book has left a rung for sure.</summary>
    public TimeSpan Reach(int level, int digit)
    {
        lock (_lock)
        {
            var longest = _sent.Keys
                .SelectMany(ClimbPath.Of)
                .Where(hop => hop.Level == level && hop.Digit == digit)
                .Select(hop => hop.Until)
                .DefaultIfEmpty()
                .Max();
            var own = DelayLadder.Levels[level].Delay(digit);
            return longest > own ? longest : own;
        }
    }

    private static RungWait? WaitOf(ClimbRun run, ClimbPath.Hop hop, DateTimeOffset now)
    {
        var count = run.CountWithin(now - hop.Until, now - hop.From);
        if (count == 0)
        {
            return null;
        }

        var next = run.First + hop.Until > now ? run.First + hop.Until : now;
        return new RungWait(hop.Level, hop.Digit, count, count < run.Count ? Math.Max(count, run.Count - count) : 0, next, run.Last + hop.Until);
    }

    private static int Add(Dictionary<TimeSpan, List<ClimbRun>> sent, TimeSpan delay, DateTimeOffset at)
    {
        var runs = RunsOf(sent, delay);
        if (runs is [.., var open] && at - open.First < delay / RunsInADelay)
        {
            runs[^1] = new ClimbRun(at < open.First ? at : open.First, at > open.Last ? at : open.Last, open.Count + 1);
            return 0;
        }

        runs.Add(new ClimbRun(at, at, 1));
        return 1;
    }

    private static List<ClimbRun> RunsOf(Dictionary<TimeSpan, List<ClimbRun>> sent, TimeSpan delay)
    {
        if (!sent.TryGetValue(delay, out var runs))
        {
            sent[delay] = runs = [];
        }

        return runs;
    }

    // what has come back, reported or not, says nothing any more
    private void Prune(DateTimeOffset now)
    {
        Prune(_sent, now);
        Prune(_unreported, now);
        _runs = _sent.Values.Sum(runs => runs.Count);
        _pruneAt = (2 * _runs) + Room;
    }

    private static void Prune(Dictionary<TimeSpan, List<ClimbRun>> sent, DateTimeOffset now)
    {
        foreach (var (delay, runs) in sent)
        {
            runs.RemoveAll(run => run.Last + delay <= now);
            if (runs.Count == 0)
            {
                sent.Remove(delay);
            }
        }
    }
}
