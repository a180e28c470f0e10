namespace Retry.Messaging.RabbitMq;

/// <summary>Lets something happen once in a period, however many callers ask: a line of the log, for example.</summary>
internal sealed class OncePer(TimeSpan period, TimeProvider time)
{
    private long _last;

    /// <summary>Whether it is time again. Of several callers at that moment one is told so.</summary>
    public bool IsTime()
    {
        var now = time.GetTimestamp();
        var last = Interlocked.Read(ref _last);
        return (last == 0 || time.GetElapsedTime(last, now) >= period) && Interlocked.CompareExchange(ref _last, now, last) == last;
    }

    /// <summary>Begins the period anew, because it has just happened for another reason.</summary>
    public void Happened() => Interlocked.Exchange(ref _last, time.GetTimestamp());
}
