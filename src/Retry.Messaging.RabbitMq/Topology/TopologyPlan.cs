using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>What must exist on the broker: the same object is declared at start-up, exported and verified.</summary>
/// <remarks>
/// Everything is in the order of declaration, bottom-up, so that a ladder whose exchanges were deleted can be declared again while
/// messages come off its rungs: what they meet leads on, or is not there yet and they stay in their rung. The exchange for lost
/// messages comes last: as long as it is missing nothing can get lost in it.
/// </remarks>
internal sealed record TopologyPlan
{
    // Unset, RabbitMQ 4 deletes a message after 20 returns and sends a rung's message on early; -1 breaks 3.10.
    internal const int UnlimitedDeliveries = int.MaxValue;
    internal const string DeliveryLimit = "x-delivery-limit";

    // A cancellation of MassTransit's is estimated at 300 bytes: 100,000 of them would take a third.
    internal const long CancelledBytes = 96L << 20;
    internal const long CancelledSegmentBytes = 8L << 20;
    private const string DeadLetterStrategy = "x-dead-letter-strategy";
    private const string LeaderLocator = "x-queue-leader-locator";
    private const string AlternateExchange = "alternate-exchange";
    private const string AtLeastOnce = "at-least-once";
    private const string RejectPublish = "reject-publish";
    private const string Balanced = "balanced";
    private const string Quorum = "quorum";
    private const string Stream = "stream";
    private const string SegmentSize = "x-stream-max-segment-size-bytes";

    /// <summary>How long a message stays in an archive.</summary>
    internal static readonly TimeSpan ArchiveLife = TimeSpan.FromDays(30);

    /// <summary>The exchanges.</summary>
    public required IReadOnlyList<ExchangePlan> Exchanges { get; init; }

    /// <summary>The queues.</summary>
    public required IReadOnlyList<QueuePlan> Queues { get; init; }

    /// <summary>The bindings.</summary>
    public required IReadOnlyList<BindingPlan> Bindings { get; init; }

    /// <summary>The ladder of a virtual host, shared by all its retry points and by what is scheduled: 57 rungs, 11 exchanges.</summary>
    public static TopologyPlan Ladder { get; } = PlanLadder();

    /// <summary>A plan without anything in it.</summary>
    internal static TopologyPlan Nothing { get; } = new() { Exchanges = [], Queues = [], Bindings = [] };

    /// <summary>The queues in which messages wait for their time.</summary>
    internal static IReadOnlyList<QueuePlan> Rungs { get; } = [.. Ladder.Queues.Where(queue => queue.Arguments.ContainsKey(Headers.XDeadLetterExchange))];

    /// <summary>The two exchanges that lead to the queues of the retry points, and the queue of what was scheduled.</summary>
    internal static TopologyPlan WayBack { get; } = new()
    {
        Exchanges = [.. Ladder.Exchanges.Where(exchange => exchange.Name is BrokerNames.ParkingExchange or BrokerNames.ReturnExchange)],
        Queues = [.. Ladder.Queues.Where(queue => queue.Name == BrokerNames.ScheduleQueue)],
        Bindings = [.. Ladder.Bindings.Where(binding => binding.Destination == BrokerNames.ScheduleQueue)],
    };

    /// <summary>The queue of the calls to look after the lost queue. Each service that takes part declares it; it is no part of the ladder.</summary>
    internal static QueuePlan MoverCalls { get; } = OwnQueue(
        BrokerNames.MoverQueue,
        (Headers.XSingleActiveConsumer, true),
        (Headers.XMaxLength, 1),
        (Headers.XMessageTTL, (long)TimeSpan.FromMinutes(1).TotalMilliseconds));

    /// <summary>The queue of the turn to send recurring messages. Each process that takes part declares it; it is no part of the ladder.</summary>
    internal static QueuePlan RecurringTurn { get; } = OwnQueue(BrokerNames.RecurringQueue, (Headers.XSingleActiveConsumer, true), (Headers.XMaxLength, 1));

    /// <summary>What one retry point adds: its parking lot, its way back and, where it is limited or isolated, its release queue.</summary>
    /// <param name="names">The point's queues.</param>
    /// <param name="withRelease">Whether messages wait in a release queue before they go back to work.</param>
    public static TopologyPlan Point(RetryPointNames names, bool withRelease)
    {
        ArgumentNullException.ThrowIfNull(names);

        // one binding each, for its own name: two bindings for one key would make two copies
        List<QueuePlan> queues = [OwnQueue(names.Parked)];
        List<BindingPlan> bindings = [new(BrokerNames.ParkingExchange, names.Parked, ToQueue: true, names.Work)];
        if (withRelease)
        {
            queues.Add(OwnQueue(names.Release, (Headers.XSingleActiveConsumer, true)));
            bindings.Add(new(BrokerNames.ReturnExchange, names.Release, ToQueue: true, BrokerNames.ReturnPattern(names.Release)));
        }

        // last, since the queue is not ours and may not be there yet
        bindings.Add(new(BrokerNames.ReturnExchange, names.Work, ToQueue: true, BrokerNames.ReturnPattern(names.Work)));
        return new TopologyPlan { Exchanges = [], Queues = queues, Bindings = bindings };
    }

    /// <summary>A point's archive. What lies in it longer than <see cref="ArchiveLife"/> is gone.</summary>
    internal static TopologyPlan Archive(string queue) =>
        Nothing with { Queues = [OwnQueue(queue, (Headers.XMessageTTL, (long)ArchiveLife.TotalMilliseconds))] };

    /// <summary>Whether a release queue is part of it: one consumer at a time is what the limiter is about.</summary>
    internal bool HasReleaseQueue => Queues.Any(queue => queue.Arguments.ContainsKey(Headers.XSingleActiveConsumer));

    /// <summary>This plan followed by another.</summary>
    /// <param name="next">The plan to declare afterwards.</param>
    public TopologyPlan Then(TopologyPlan next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return new TopologyPlan
        {
            Exchanges = [.. Exchanges, .. next.Exchanges],
            Queues = [.. Queues, .. next.Queues],
            Bindings = [.. Bindings, .. next.Bindings],
        };
    }

    private static TopologyPlan PlanLadder()
    {
        List<ExchangePlan> exchanges =
        [
            OwnExchange(BrokerNames.ParkingExchange, ExchangeType.Direct),
            OwnExchange(BrokerNames.ReturnExchange, ExchangeType.Topic),
        ];
        List<QueuePlan> queues =
        [
            OwnQueue(BrokerNames.LostQueue),
            OwnQueue(BrokerNames.ScheduleQueue, (Headers.XSingleActiveConsumer, true)),
            new(BrokerNames.CancelledStream, Arguments((Headers.XQueueType, Stream), (Headers.XMaxLengthInBytes, CancelledBytes), (SegmentSize, CancelledSegmentBytes))),
        ];
        List<BindingPlan> bindings =
        [
            new(BrokerNames.ReturnExchange, BrokerNames.ScheduleQueue, ToQueue: true, BrokerNames.ReturnPattern(BrokerNames.ScheduleQueue)),
        ];

        var next = BrokerNames.ReturnExchange;
        foreach (var level in DelayLadder.Levels.Reverse())
        {
            var exchange = BrokerNames.LevelExchange(level);
            exchanges.Add(OwnExchange(exchange, ExchangeType.Topic));
            bindings.Add(new(exchange, next, ToQueue: false, DigitPattern(level, 0)));
            for (var digit = 1; digit <= level.MaxDigit; digit++)
            {
                var rung = BrokerNames.Rung(level, digit);
                queues.Add(Rung(rung, level.Delay(digit), next));
                bindings.Add(new(exchange, rung, ToQueue: true, DigitPattern(level, digit)));
            }

            next = exchange;
        }

        exchanges.Add(new(BrokerNames.LostExchange, ExchangeType.Fanout, Arguments()));
        bindings.Add(new(BrokerNames.LostExchange, BrokerNames.LostQueue, ToQueue: true, string.Empty));
        return new TopologyPlan { Exchanges = exchanges, Queues = queues, Bindings = bindings };
    }

    // the words before this level's digit are anything, and so is the rest
    private static string DigitPattern(LadderLevel level, int digit) =>
        string.Concat(Enumerable.Repeat("*.", level.Index)) + (char)('0' + digit) + ".#";

    // At-least-once needs reject-publish (otherwise it silently falls back), and an alternate exchange behind it: 32
    // messages that cannot be routed would stall the rung for everybody.
    private static QueuePlan Rung(string name, TimeSpan delay, string next) => OwnQueue(
        name,
        (Headers.XMessageTTL, (long)delay.TotalMilliseconds),
        (Headers.XDeadLetterExchange, next),
        (DeadLetterStrategy, AtLeastOnce),
        (Headers.XOverflow, RejectPublish));

    private static QueuePlan OwnQueue(string name, params (string, object?)[] more) => new(name, Arguments(
    [
        (Headers.XQueueType, Quorum),
        (DeliveryLimit, UnlimitedDeliveries),
        // without it all leaders sit on the node that the first client happened to reach
        (LeaderLocator, Balanced),
        .. more,
    ]));

    private static ExchangePlan OwnExchange(string name, string type) =>
        new(name, type, Arguments((AlternateExchange, BrokerNames.LostExchange)));

    private static SortedDictionary<string, object?> Arguments(params (string Key, object? Value)[] arguments)
    {
        var sorted = new SortedDictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, value) in arguments)
        {
            sorted[key] = value;
        }

        return sorted;
    }
}
