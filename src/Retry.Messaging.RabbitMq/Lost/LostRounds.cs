namespace Retry.Messaging.RabbitMq.Lost;

/// <summary>When a service looks after the lost queue.</summary>
internal sealed record LostRounds
{
    /// <summary>How long after it has connected a service calls for the first look: its queues are declared by then.</summary>
    public TimeSpan First { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The mean time between two calls of one service; each is drawn from 80 to 120 % of it.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>The shortest time between two looks, however many services call.</summary>
    public TimeSpan Shortest { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the messages that wait are not read again, as long as none came and none of their queues is back.</summary>
    public TimeSpan Anew { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long after a reading the messages that wait are read again.</summary>
    /// <param name="refusals">How many readings in a row ended with messages that the broker did not take, although their queues are there.</param>
    public TimeSpan AnewAfter(int refusals) =>
        refusals == 0 || Shortest * Math.Pow(2, Math.Min(refusals - 1, 20)) is var pause && pause > Anew ? Anew : pause;

    /// <summary>How many missing queues are looked for in one round: each is an error in the broker's log.</summary>
    public int LooksAtMost { get; init; } = 100;
}
