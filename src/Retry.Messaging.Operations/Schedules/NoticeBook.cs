using Retry.Messaging.RabbitMq.Listing;

namespace Retry.Messaging.Operations.Schedules;

/// <summary>Reads notices and keeps the next ones and the counts, however many there are.</summary>
/// <param name="request">What is asked for. Only who asks for one message by its token or id is shown it after it was cancelled.</param>
/// <param name="cancelled">Tokens that were cancelled.</param>
/// <param name="now">The current time.</param>
internal sealed class NoticeBook(ScheduleRequest request, IReadOnlySet<Guid> cancelled, DateTimeOffset now)
{
    private readonly SortedDictionary<DateTimeOffset, long> _byHour = [];

    // the last on top, so that it makes room for an earlier one
    private readonly PriorityQueue<ScheduledMessage, long> _next = new();

    /// <summary>Gets how many wait.</summary>
    public long Waiting { get; private set; }

    /// <summary>Gets how many were to come and have been cancelled.</summary>
    public long Cancelled { get; private set; }

    /// <summary>Gets how many are due in each hour.</summary>
    public IReadOnlyDictionary<DateTimeOffset, long> ByHour => _byHour;

    /// <summary>Gets the next ones, by time.</summary>
    public IReadOnlyList<ScheduledMessage> Next => [.. _next.UnorderedItems.Select(item => item.Element).OrderBy(message => message.Notice.Due)];

    /// <summary>Takes in a notice; what was due is past.</summary>
    public void Read(ScheduleNotice notice)
    {
        var due = notice.Due is > 0 and <= 253_402_300_799_999 ? DateTimeOffset.FromUnixTimeMilliseconds(notice.Due) : now;
        if (due <= now || (request.To is { } to && notice.Exchange != to) || (request.Id is { } id && !Is(notice.Token, id) && !Is(notice.Id, id)))
        {
            return;
        }

        var isCancelled = Guid.TryParse(notice.Token, out var token) && cancelled.Contains(token);
        if (isCancelled)
        {
            Cancelled++;
            if (request.Id is null)
            {
                return;
            }
        }
        else
        {
            Waiting++;
            var hour = due.AddTicks(-(due.Ticks % TimeSpan.TicksPerHour));
            _byHour[hour] = _byHour.GetValueOrDefault(hour) + 1;
        }

        _next.Enqueue(new ScheduledMessage(notice, isCancelled), -notice.Due);
        if (_next.Count > request.Limit)
        {
            _next.Dequeue();
        }
    }

    private static bool Is(string? one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
