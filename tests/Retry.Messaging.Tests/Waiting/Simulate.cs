namespace Retry.Messaging.Tests.Waiting;

/// <summary>Stands for what takes its time in a real service: a consumer at work, a slow wire, a broker that does not answer.</summary>
internal static class Simulate
{
    /// <summary>Takes as long as the work would that it stands for.</summary>
    public static Task WorkAsync(TimeSpan duration, CancellationToken cancellationToken = default) => Task.Delay(duration, cancellationToken);

    /// <summary>Stands for what ends only when its token is cancelled.</summary>
    public static Task EndlessWorkAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
}
