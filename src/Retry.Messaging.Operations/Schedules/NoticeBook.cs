using Retry.Messaging.RabbitMq.Listing;

namespace Retry.Messaging.Operations.Schedules;

/// <summary>Reads notices and keeps the next ones and the counts, however many there are.</summary>
internal sealed class NoticeBook(ScheduleRequest request, DateTimeOffset now)
{
    private readonly SortedDictionary<DateTimeOffset, long> _byHour = [];

    // the last on top, so that it makes room for an earlier one
    private readonly PriorityQueue<ScheduleNotice, long> _next = new();

    /// <summary>Gets how many wait.</summary>
    public long Waiting { get; private set; }

    /// <summary>Gets how many are due in each hour.</summary>
    public IReadOnlyDictionary<DateTimeOffset, long> ByHour => _byHour;

    /// <summary>Gets the next ones, by time.</summary>
    public IReadOnlyList<ScheduleNotice> Next => [.. _next.UnorderedItems.Select(item => item.Element).OrderBy(notice => notice.Due)];

    /// <summary>Takes in a notice; what was due is past.</summary>
    public void Read(ScheduleNotice notice)
    {
        var due = notice.Due is > 0 and <= 253_402_300_799_999 ? DateTimeOffset.FromUnixTimeMilliseconds(notice.Due) : now;
        if (due <= now || (request.To is { } to && notice.Exchange != to) || (request.Id is { } id && !Is(notice.Token, id) && !Is(notice.Id, id)))
        {
            return;
        }

        Waiting++;
        var hour = due.AddTicks(-(due.Ticks % TimeSpan.TicksPerHour));
        _byHour[hour] = _byHour.GetValueOrDefault(hour) + 1;
        _next.Enqueue(notice, -notice.Due);
        if (_next.Count > request.Limit)
        {
            _next.Dequeue();
        }
    }

    private static bool Is(string? one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
