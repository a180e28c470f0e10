using Retry.Messaging.RabbitMq.Counting;

namespace Retry.Messaging.Operations.Delayed;

/// <summary>What waits in the rungs of the ladder, and whose it is.</summary>
/// <remarks>
/// The rungs are shared, so only those who send messages up know whose they are. How many there are in a rung is always the broker's
/// number. What a process sent and did not report before it was killed belongs to nobody here; it is the error of the points that it served,
/// and gone when the rung's time has passed.
/// </remarks>
/// <param name="Rungs">What the broker has in each rung that has something.</param>
/// <param name="Points">What is known of each point, by name.</param>
internal sealed record DelayedOverview(IReadOnlyList<DelayedRung> Rungs, IReadOnlyList<DelayedPoint> Points)
{
    /// <summary>What nobody has claimed in a rung: scheduled messages, and those of killed processes.</summary>
    public long UnclaimedIn(DelayedRung rung) =>
        Math.Max(rung.Waiting - Points.SelectMany(point => point.Rungs).Where(rung.IsSameAs).Sum(other => other.Waiting), 0);

    /// <summary>Puts it together. Pure.</summary>
    /// <param name="totals">What the broker has in each rung.</param>
    /// <param name="waits">What processes say, by point; of each message one process.</param>
    /// <param name="mayBeMore">Whether a process that was killed may have sent messages of a point into a rung, and not reported them.</param>
    public static DelayedOverview Of(
        IReadOnlyDictionary<(int Level, int Digit), long> totals,
        IReadOnlyDictionary<string, IReadOnlyList<RungWait>> waits,
        Func<string, int, int, bool> mayBeMore)
    {
        var claimed = waits.Values.SelectMany(point => point)
            .GroupBy(wait => (wait.Level, wait.Digit))
            .ToDictionary(rung => rung.Key, rung => rung.Sum(wait => wait.Count));
        var rungs = totals.Where(rung => rung.Value > 0)
            .OrderBy(rung => rung.Key.Level)
            .ThenByDescending(rung => rung.Key.Digit)
            .Select(rung => new DelayedRung(rung.Key.Level, rung.Key.Digit, rung.Value))
            .ToList();
        return new DelayedOverview(
            rungs,
            [
                .. waits.OrderBy(point => point.Key, StringComparer.Ordinal)
                    .Select(point => new DelayedPoint(point.Key, [.. RungsOf(point.Key, point.Value)]))
                    .Where(point => point.Rungs.Count > 0),
            ]);

        IEnumerable<DelayedRung> RungsOf(string queue, IReadOnlyList<RungWait> known)
        {
            foreach (var rung in rungs)
            {
                var place = (rung.Level, rung.Digit);
                var wait = known.Where(wait => (wait.Level, wait.Digit) == place).Select(wait => (RungWait?)wait).FirstOrDefault();
                var difference = rung.Waiting - claimed.GetValueOrDefault(place);
                var missing = difference > 0 && mayBeMore(queue, rung.Level, rung.Digit) ? difference : 0;
                var error = (wait?.Error ?? 0) + missing + Math.Max(-difference, 0);
                if (wait is not null || missing > 0)
                {
                    yield return rung with
                    {
                        Waiting = Math.Min((long)Math.Round(wait?.Count ?? 0), rung.Waiting),
                        Error = Math.Min((long)Math.Ceiling(error), rung.Waiting),
                        Next = wait?.Next,
                        Last = wait?.Last,
                    };
                }
            }
        }
    }
}
