using System.Collections.Concurrent;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.RabbitMq.Lost;

/// <summary>Which lost messages go on by themselves, and which destinations are known to be missing.</summary>
/// <param name="lostFor">What was lost longer ago waits for an operator.</param>
/// <param name="looksAtMost">How many queues are looked for in one reading: each that is missing is an error in the broker's log.</param>
internal sealed class LostForwarding(TimeSpan lostFor, int looksAtMost)
{
    /// <summary>What the plan ids of messages begin with that a service sent on by itself.</summary>
    public const string PlanPrefix = "by-itself-";

    /// <summary>How often a message goes on by itself: one that keeps coming back needs an operator.</summary>
    public const int MostTimes = 10;

    // by the way that a message took, the queue that was looked for
    private readonly ConcurrentDictionary<Way, string> _missing = new();

    // by the queue that a message was on its way to, why the broker did not take it
    private readonly ConcurrentDictionary<string, string> _refused = new(StringComparer.Ordinal);

    private int _looks;

    /// <summary>Whether the last reading left messages whose queues it had not looked for.</summary>
    public bool IsUnfinished => _looks > looksAtMost;

    /// <summary>The queues that messages wait for.</summary>
    public IReadOnlyCollection<string> Missing => [.. _missing.Values.Distinct(StringComparer.Ordinal)];

    /// <summary>Why the broker did not take what the last reading sent on, whose queues are there; <see langword="null"/> when it took all.</summary>
    public string? Refusal => _refused.Values.FirstOrDefault();

    /// <summary>Whether a message may go on, if its destination is there.</summary>
    /// <param name="message">A lost message.</param>
    /// <param name="now">The current time.</param>
    public bool MayGoOn(ParkedMessage message, DateTimeOffset now)
    {
        // what is on its way to its parking lot has ended, and has no deadline any more
        var isInTime = message.Destination is null || !(message.State.Deadline <= now || message.State.Kept.ExpiresAt <= now);
        var keepsComingBack = message.Replayed >= MostTimes && message.Plan?.StartsWith(PlanPrefix, StringComparison.Ordinal) == true;
        return isInTime && !keepsComingBack && !(now - LostAt(message) >= lostFor);
    }

    /// <summary>Tells by its routing key that a message waits for a queue that is missing.</summary>
    public bool IsHomeless(string routingKey) => _missing.ContainsKey(Way.By(routingKey));

    /// <summary>Notes that a message's queue is missing.</summary>
    public void IsMissing(ParkedMessage message, string queue) =>
        _missing[new(message.Destination is not null, message.Destination ?? message.WorkQueue)] = queue;

    /// <summary>Notes that a queue is there, but that the broker does not take what goes to it: a rung is missing, or the queue is full.</summary>
    public void IsRefused(string queue, string reason) => _refused[queue] = reason;

    /// <summary>Whether the broker did not take what goes to a queue, in this reading.</summary>
    public bool WasRefused(string queue) => _refused.ContainsKey(queue);

    /// <summary>Notes that a queue is there again.</summary>
    public void IsBack(string queue)
    {
        foreach (var (way, missing) in _missing)
        {
            if (missing == queue)
            {
                _missing.TryRemove(way, out _);
            }
        }
    }

    /// <summary>Before a reading: forgets what was missing, unless the last reading did not come to an end with it.</summary>
    public void Begin()
    {
        if (!IsUnfinished)
        {
            _missing.Clear();
        }

        _refused.Clear();
        _looks = 0;
    }

    /// <summary>Whether one more queue may be looked for in this reading.</summary>
    public bool MayLook() => Interlocked.Increment(ref _looks) <= looksAtMost;

    // When it left its last rung, or else when its last attempt failed. A message that tells neither counts as lost just now.
    private static DateTimeOffset? LostAt(ParkedMessage message) => BrokerDeath.LeftLadderAt(message.RawHeaders) ?? message.ParkedAt;

    private readonly record struct Way(bool OnTheLadder, string To)
    {
        public static Way By(string routingKey) => BrokerNames.DestinationOf(routingKey) is { } destination ? new(true, destination) : new(false, routingKey);
    }
}
