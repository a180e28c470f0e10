namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Where replayed messages go.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Note">What is to be known about it, with the next step; null when there is nothing.</param>
/// <param name="IsDeserted">Whether no consumer takes them from there at the moment.</param>
internal sealed record ReplayDestination(string Queue, string? Note = null, bool IsDeserted = false)
{
    /// <summary>Chooses.</summary>
    /// <param name="work">The work queue.</param>
    /// <param name="workConsumers">How many consume it.</param>
    /// <param name="release">The release queue.</param>
    /// <param name="releaseConsumers">How many consume it; null where there is none.</param>
    /// <param name="pausedBy">Who has paused the point; null where nobody has.</param>
    public static ReplayDestination Choose(string work, long workConsumers, string release, long? releaseConsumers, string? pausedBy) => releaseConsumers switch
    {
        null => new(work),
        > 0 => new(release),
        _ when pausedBy is not null =>
            new(release, $"Point '{work}' is paused by {pausedBy}: the messages wait in '{release}' until 'retryctl limiter resume {work}'."),
        _ when workConsumers > 0 =>
            new(
                work,
                $"Queue '{release}' has no consumer, so the messages go straight to '{work}', under no cap. If the point has a limit, start 'retryctl limiter run --point {work}' first. If it has none any more, remove the queue: 'retryctl topology remove --release {work}'."),
        _ => new(
            release,
            $"Queues '{release}' and '{work}' have no consumer, so the messages wait in '{release}'. Start the service that has the point: it releases them, or empties the release queue if it has no limit any more. 'retryctl limiter run --point {work}' releases them too.",
            IsDeserted: true),
    };
}
