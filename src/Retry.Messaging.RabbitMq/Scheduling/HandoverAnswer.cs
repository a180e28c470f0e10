namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>What became of a scheduled message at its destination.</summary>
internal abstract record HandoverAnswer
{
    /// <summary>The broker has confirmed it.</summary>
    public static readonly HandoverAnswer Done = new Delivered();

    private sealed record Delivered : HandoverAnswer;

    /// <summary>It has no way there.</summary>
    /// <param name="Cause">Why, as a sentence.</param>
    public sealed record Lost(string Cause) : HandoverAnswer;

    /// <summary>It was refused, or not confirmed in time, and is tried again.</summary>
    /// <param name="Cause">What happened.</param>
    /// <param name="Rest">When at the earliest.</param>
    /// <param name="Sent">What the destination did with it, so that there may be a copy; <see langword="null"/> where it was not sent.</param>
    public sealed record Again(string Cause, TimeSpan Rest, DestinationAnswer? Sent) : HandoverAnswer;
}
