namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>What is known of one destination, an exchange with a routing key. Guarded by the lock of <see cref="Destinations"/>.</summary>
internal sealed class Destination
{
    /// <summary>Gets or sets the lane that it has to itself, if it has one.</summary>
    public int? Lane { get; set; }

    /// <summary>Gets or sets whether it has answered on that lane, and not fallen silent since.</summary>
    public bool IsProven { get; set; }

    /// <summary>Gets or sets whether something lies unanswered on that lane, maybe for ever.</summary>
    public bool IsLaneSilent { get; set; }

    /// <summary>Gets or sets how many messages have a place.</summary>
    public int Held { get; set; }

    /// <summary>Gets those who wait for a place.</summary>
    public Queue<TaskCompletionSource<DestinationPlace>> Waiting { get; } = new();

    /// <summary>Gets or sets when it answered last, or was given something to answer.</summary>
    public long QuietSince { get; set; }

    /// <summary>Gets or sets how long it rests; <see langword="null"/> while it is well.</summary>
    public TimeSpan? Rest { get; set; }

    /// <summary>Gets or sets since when it rests.</summary>
    public long RestsSince { get; set; }

    /// <summary>Gets or sets whether one message asks whether it is well again.</summary>
    public bool IsAsked { get; set; }

    /// <summary>Gets whether nobody has a place with it, or wants one.</summary>
    public bool IsIdle => Held == 0 && Waiting.Count == 0;
}
