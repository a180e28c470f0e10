using System.Diagnostics;

namespace Retry.Messaging.Benchmarks.Metastable;

/// <summary>What the target notes of the calls that it gets, second by second.</summary>
internal sealed class Ledger
{
    private readonly Lock _lock = new();
    private long _started = Stopwatch.GetTimestamp();
    private readonly List<LedgerSecond> _seconds = [];
    private readonly HashSet<int> _answered = [];

    /// <summary>The first second begins now.</summary>
    public void Begin() => _started = Stopwatch.GetTimestamp();

    /// <summary>A call has come.</summary>
    public void Called() => Note(second => second with { Called = second.Called + 1 });

    /// <summary>A call found no place in the queue, and is never answered.</summary>
    public void Dropped() => Note(second => second with { Dropped = second.Dropped + 1 });

    /// <summary>A call was served whose caller had given up.</summary>
    public void Wasted() => Note(second => second with { Wasted = second.Wasted + 1 });

    /// <summary>A call was served whose caller was still there. A message counts once.</summary>
    public void Answered(int message) => Note(second => _answered.Add(message) ? second with { Answered = second.Answered + 1 } : second);

    /// <summary>Gets the seconds that have ended.</summary>
    public IReadOnlyList<LedgerSecond> Ended
    {
        get
        {
            lock (_lock)
            {
                return [.. _seconds.Take(MoveTo())];
            }
        }
    }

    private void Note(Func<LedgerSecond, LedgerSecond> change)
    {
        lock (_lock)
        {
            var now = MoveTo();
            _seconds[now] = change(_seconds[now]);
        }
    }

    private int MoveTo()
    {
        var now = (int)Stopwatch.GetElapsedTime(_started).TotalSeconds;
        while (_seconds.Count <= now)
        {
            _seconds.Add(default);
        }

        return now;
    }
}
