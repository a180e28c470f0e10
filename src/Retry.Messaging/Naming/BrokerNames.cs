using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Retry.Messaging.Ladder;

namespace Retry.Messaging.Naming;

/// <summary>The one home of every name that exists on the broker.</summary>
/// <remarks>
/// Names carry the ladder's version, so that an incompatible ladder can stand beside an old one. The parking exchange
/// carries none: policies and queue arguments of work queues point at it, and those could never be changed.
/// </remarks>
public static class BrokerNames
{
    /// <summary>What every exchange and rung of the ladder starts with.</summary>
    public const string LadderPrefix = LadderNames.Prefix;

    /// <summary>The exchange at the foot of the ladder: eight words, then the destination.</summary>
    public const string ReturnExchange = LadderNames.ReturnExchange;

    /// <summary>The alternate exchange of all our exchanges: what has no destination leaves the ladder here.</summary>
    public const string LostExchange = LadderPrefix + "lost";

    /// <summary>The queue that holds messages whose destination no longer exists.</summary>
    public const string LostQueue = LadderPrefix + "lost";

    /// <summary>The queue whose one active consumer looks after <see cref="LostQueue"/>. Its messages only say that it is time to look.</summary>
    public const string MoverQueue = LadderPrefix + "mover";

    /// <summary>The queue of the messages whose scheduled time has come; one dispatcher in the virtual host takes them to where they go.</summary>
    public const string ScheduleQueue = LadderPrefix + "schedule";

    /// <summary>The stream of what was scheduled and is cancelled.</summary>
    public const string CancelledStream = LadderPrefix + "schedule.cancelled";

    /// <summary>The queue whose one active consumer sends recurring messages. Its message is the turn to do so, and says nothing.</summary>
    internal const string RecurringQueue = LadderPrefix + "recurring";

    /// <summary>The stream of notices about what is scheduled, where a service writes them.</summary>
    internal const string ScheduledStream = LadderPrefix + "scheduled";

    /// <summary>A queue that there never is.</summary>
    internal const string Nowhere = LadderPrefix + "nowhere";

    /// <summary>The stream of documents by which operators control the points of the virtual host.</summary>
    public const string ControlStream = LadderPrefix + "control";

    /// <summary>The stream in which processes say what they are; kept for a day.</summary>
    public const string AnnouncementStream = LadderPrefix + "announcements";

    /// <summary>The exchange by which processes say, at most once a second, what their points do. It keeps nothing: who wants to know listens.</summary>
    internal const string PulseExchange = LadderPrefix + "pulse";

    /// <summary>The stream in which processes say what they have sent up the ladder; kept for as long as something may climb.</summary>
    internal const string DelayedStream = LadderPrefix + "delayed";

    /// <summary>What the queues of those begin with who listen to the pulse.</summary>
    internal const string ListenPrefix = LadderPrefix + "listen.";

    /// <summary>The stream in which the plans of the virtual host stand: what is being moved out of parking lots, and by whom.</summary>
    public const string PlanStream = LadderPrefix + "plans";

    /// <summary>The queue that whoever carries out detached plans consumes; nothing is sent there, and it goes with the last of them.</summary>
    public const string PlanCarriers = LadderPrefix + "carriers";

    /// <summary>The queue that is there as long as a service decides when rules replay; of several services one does.</summary>
    internal const string RuleTurn = LadderPrefix + "rules";

    // the journal of one plan, while it is open
    private const string JournalPrefix = LadderPrefix + "plan.";

    /// <summary>What the queues of permits begin with.</summary>
    internal const string PermitPrefix = LadderPrefix + "permits.";

    // there as long as the connection of whoever works on a lot
    private const string LotLockPrefix = LadderPrefix + "lot.";

    /// <summary>What the sign of life of an instance begins with: a queue that is there as long as its connection.</summary>
    internal const string InstancePrefix = LadderPrefix + "instance.";

    /// <summary>The exchange that leads to the parking lots; its routing key is the work queue's name.</summary>
    public const string ParkingExchange = "retry.parking";

    /// <summary>The suffix of a release queue.</summary>
    public const string ReleaseSuffix = ".release";

    /// <summary>The suffix of a parking lot.</summary>
    public const string ParkedSuffix = ".parked";

    // what follows a prefix of ours in the name of a queue
    private const int MaxPlain = 200;

    /// <summary>The suffix of a point's archive.</summary>
    internal const string ArchivedSuffix = ".archived";

    // no other application may declare a name that begins so
    internal const string BrokerPrefix = "amq.";

    // a queue's name is a short string
    internal const int MaxQueueBytes = 255;

    // eight digits and eight dots come before the destination, and a routing key is a short string of 255 bytes
    internal const int MaxDestinationBytes = MaxQueueBytes - (2 * DelayLadder.LevelCount);

    // by name, not by prefix: another application may have a retry.v1.something of its own
    private static readonly FrozenSet<string> OfTheLadder = DelayLadder.Levels.Select(LevelExchange).Append(ReturnExchange).ToFrozenSet(StringComparer.Ordinal);

    private static readonly string DigitsPattern = string.Concat(Enumerable.Repeat("*.", DelayLadder.LevelCount));

    /// <summary>The exchange of one level of the ladder, for example <c>retry.v1.m</c>.</summary>
    /// <param name="level">The level.</param>
    public static string LevelExchange(LadderLevel level)
    {
        ArgumentNullException.ThrowIfNull(level);
        return LadderNames.LevelExchange(level);
    }

    /// <summary>The queue of one rung, for example <c>retry.v1.30s</c>.</summary>
    /// <param name="level">The level the rung belongs to.</param>
    /// <param name="digit">The digit of the clock, from 1 to the level's largest.</param>
    public static string Rung(LadderLevel level, int digit)
    {
        ArgumentNullException.ThrowIfNull(level);
        return LadderNames.Rung(level, digit);
    }

    /// <summary>The queue that is there as long as an instance of a service is connected.</summary>
    /// <param name="instance">The instance's id.</param>
    internal static string InstanceQueue(string instance) => InstancePrefix + instance;

    /// <summary>The queue of one who listens to the pulse.</summary>
    /// <param name="listener">The listener's id.</param>
    internal static string ListenQueue(string listener) => ListenPrefix + listener;

    /// <summary>The stream in which a plan notes what it is about to do, while it is open.</summary>
    /// <param name="plan">The plan's id.</param>
    internal static string PlanJournal(string plan) => JournalPrefix + (IsPlain(plan) ? plan : DigestOf(plan));

    /// <summary>The queue that is there as long as somebody works on the messages of a queue.</summary>
    /// <param name="queue">The queue, for example a parking lot.</param>
    internal static string LotLock(string queue) => LotLockPrefix + (IsPlain(queue) ? queue : DigestOf(queue));

    /// <summary>The queue of the permits of a point: each lets one delivery begin.</summary>
    /// <param name="workQueue">The work queue's name.</param>
    internal static string PermitQueue(string workQueue) => PermitPrefix + (IsPlain(workQueue) ? workQueue : DigestOf(workQueue));

    /// <summary>The queue that is there as long as somebody judges the target of a point, and by which it hears what happens.</summary>
    /// <param name="workQueue">The work queue's name.</param>
    internal static string JudgeQueue(string workQueue) => ListenPrefix + "judge." + (IsPlain(workQueue) ? workQueue : DigestOf(workQueue));

    /// <summary>The release queue of a work queue.</summary>
    /// <param name="workQueue">The work queue's name.</param>
    public static string ReleaseQueue(string workQueue) => workQueue + ReleaseSuffix;

    /// <summary>The parking lot of a work queue.</summary>
    /// <param name="workQueue">The work queue's name.</param>
    public static string ParkedQueue(string workQueue) => workQueue + ParkedSuffix;

    /// <summary>The policy that leads what the broker drops from a work queue to its parking lot.</summary>
    /// <param name="workQueue">The work queue's name.</param>
    internal static string WorkQueuePolicy(string workQueue) => ParkingExchange + ":" + workQueue;

    /// <summary>The binding key by which <see cref="ReturnExchange"/> finds a destination.</summary>
    /// <param name="destination">The destination queue's own name.</param>
    public static string ReturnPattern(string destination) => DigitsPattern + destination;

    /// <summary>The destination in a routing key of the ladder: the ninth word and what follows, or <see langword="null"/>.</summary>
    /// <param name="routingKey">The routing key.</param>
    internal static string? DestinationOf(string routingKey)
    {
        for (var word = 0; word < DelayLadder.LevelCount; word++)
        {
            // one digit, one dot
            if (routingKey.Length <= (2 * word) + 2 || !char.IsAsciiDigit(routingKey[2 * word]) || routingKey[(2 * word) + 1] != '.')
            {
                return null;
            }
        }

        return routingKey[(2 * DelayLadder.LevelCount)..];
    }

    /// <summary>Whether a delivery that names this exchange came through the ladder.</summary>
    /// <remarks>
    /// A delivery names the exchange that the message was last published or dead-lettered to, not those it passed on the way:
    /// a message from the 30 s rung arrives by way of the exchange for seconds.
    /// </remarks>
    /// <param name="exchange">The exchange that the delivery names.</param>
    public static bool IsOfTheLadder(string exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        return OfTheLadder.Contains(exchange);
    }

    private static bool IsPlain(string name) => Encoding.UTF8.GetByteCount(name) <= MaxPlain && !name.Any(char.IsControl);

    private static string DigestOf(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));

    /// <summary>Whether a name is the broker's or the ladder's own, so that no queue may be made with it.</summary>
    internal static bool IsReserved(string name) =>
        name.StartsWith(BrokerPrefix, StringComparison.Ordinal) || name.StartsWith(LadderPrefix, StringComparison.Ordinal);

    /// <summary>Tells why a queue cannot be the destination of a ladder, or <see langword="null"/> when it can.</summary>
    /// <param name="queue">The queue's name.</param>
    public static string? WhyNotADestination(string queue)
    {
        if (string.IsNullOrEmpty(queue))
        {
            return "The queue has no name. A retry point needs a named, durable queue.";
        }

        foreach (var word in queue.Split('.'))
        {
            if (word is "*" or "#")
            {
                return $"Queue '{queue}' has the word '{word}', which is a wildcard in a routing key. Rename the queue or call DisableGradientRetry on its endpoint.";
            }
        }

        var bytes = Encoding.UTF8.GetByteCount(queue);
        return bytes > MaxDestinationBytes
            ? $"Queue '{queue}' has a name of {bytes} bytes; the ladder's routing key leaves {MaxDestinationBytes}. Shorten the name or call DisableGradientRetry on its endpoint."
            : null;
    }
}
