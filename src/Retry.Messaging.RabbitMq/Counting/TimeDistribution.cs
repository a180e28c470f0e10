using System.Numerics;

namespace Retry.Messaging.RabbitMq.Counting;

/// <summary>How long things took, counted in buckets that grow with the time: four to each doubling, from a microsecond to more than an hour.</summary>
/// <remarks>A time is known to an eighth. Counting is one addition, and allocates nothing.</remarks>
internal sealed class TimeDistribution
{
    private const int SubBits = 2;
    private const int Sub = 1 << SubBits;

    /// <summary>How many buckets there are.</summary>
    public const int Buckets = 32 * Sub;

    private readonly int[] _counts = new int[Buckets];

    /// <summary>Counts a time; less than a microsecond counts as none, more than 71 minutes as 71 minutes.</summary>
    public void Add(TimeSpan time) => Interlocked.Increment(ref _counts[BucketOf(time)]);

    /// <summary>What has been counted since the last call, as pairs of bucket and count. For one caller.</summary>
    /// <param name="taken">What had been counted by the last call; brought up to date.</param>
    public IReadOnlyList<int> Take(int[] taken)
    {
        List<int>? pairs = null;
        for (var bucket = 0; bucket < Buckets; bucket++)
        {
            var count = Volatile.Read(ref _counts[bucket]);
            if (count != taken[bucket])
            {
                (pairs ??= []).AddRange(bucket, unchecked(count - taken[bucket]));
                taken[bucket] = count;
            }
        }

        return pairs ?? (IReadOnlyList<int>)[];
    }

    /// <summary>The time that a share of what was counted did not exceed; <see langword="null"/> where nothing was.</summary>
    /// <param name="pairs">Pairs of bucket and count, of as many processes as there are; one of a bucket that does not exist is passed over.</param>
    /// <param name="share">From 0 to 1, for example 0.95.</param>
    public static TimeSpan? Percentile(IEnumerable<IReadOnlyList<int>> pairs, double share)
    {
        var counts = new long[Buckets];
        foreach (var some in pairs)
        {
            for (var i = 0; i + 1 < some.Count; i += 2)
            {
                if (some[i] is >= 0 and < Buckets && some[i + 1] > 0)
                {
                    counts[some[i]] += some[i + 1];
                }
            }
        }

        var left = (long)Math.Ceiling(share * counts.Sum());
        for (var bucket = 0; bucket < Buckets && left > 0; bucket++)
        {
            left -= counts[bucket];
            if (left <= 0)
            {
                return Middle(bucket);
            }
        }

        return null;
    }

    private static int BucketOf(TimeSpan time)
    {
        var microseconds = (ulong)Math.Clamp(time.Ticks / TimeSpan.TicksPerMicrosecond, 0, uint.MaxValue);
        if (microseconds < Sub)
        {
            return (int)microseconds;
        }

        var octave = BitOperations.Log2(microseconds);
        return (octave * Sub) + (int)(microseconds >> (octave - SubBits)) - Sub;
    }

    private static TimeSpan Middle(int bucket)
    {
        var octave = bucket / Sub;
        return octave < SubBits
            ? TimeSpan.FromMicroseconds(bucket)
            : TimeSpan.FromMicroseconds((Sub + (bucket % Sub) + 0.5) * Math.Pow(2, octave - SubBits));
    }
}
