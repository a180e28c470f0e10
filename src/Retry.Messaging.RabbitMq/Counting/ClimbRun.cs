namespace Retry.Messaging.RabbitMq.Counting;

/// <summary>Messages that were sent up the ladder with one delay, one soon after the other.</summary>
/// <param name="First">When the first of them was sent.</param>
/// <param name="Last">When the last of them was sent.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct ClimbRun(DateTimeOffset First, DateTimeOffset Last, int Count)
{
    /// <summary>How many of them were sent after one moment and not after another, if they were sent evenly.</summary>
    public double CountWithin(DateTimeOffset after, DateTimeOffset until)
    {
        if (First > after && Last <= until)
        {
            return Count;
        }

        if (Last <= after || First > until || First == Last)
        {
            return 0;
        }

        var (from, to) = (First > after ? First : after, Last < until ? Last : until);
        return Count * ((to - from) / (Last - First));
    }
}
