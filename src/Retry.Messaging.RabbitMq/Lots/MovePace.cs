namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Spreads moves over time. What a slow broker held up is not made up for, but for a tenth of a second.</summary>
/// <param name="perSecond">How many may begin in a second.</param>
/// <param name="time">The clock.</param>
internal sealed class MovePace(double perSecond, TimeProvider time)
{
    private readonly long _interval = Math.Max(1, (long)(time.TimestampFrequency / perSecond));
    private readonly long _slack = time.TimestampFrequency / 10;
    private long _next;

    /// <summary>How many begin in a second.</summary>
    public double PerSecond => perSecond;

    /// <summary>Waits until the next one may begin; one caller at a time.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        var due = Math.Max(_next, now - _slack);
        _next = due + _interval;
        if (due > now)
        {
            // scheduled, not counted in tokens: a timer that ends late delays one message, and not all that follow
            await Task.Delay(time.GetElapsedTime(now, due), time, cancellationToken).ConfigureAwait(false);
        }
    }
}
