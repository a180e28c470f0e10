using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Listing;
using Retry.Messaging.RabbitMq.Recurring;

namespace Retry.Messaging.Operations.Schedules;

/// <summary>Reads what is scheduled in a virtual host. It writes nothing and declares nothing.</summary>
internal sealed class ScheduleReader(IConnection connection, TimeProvider time)
{
    /// <summary>Reads what recurs from the control log, and what is scheduled once from the index, where there is one.</summary>
    /// <exception cref="ControlException">One of them is there, and cannot be read.</exception>
    public async Task<ScheduleOverview> ReadAsync(ScheduleRequest request, CancellationToken cancellationToken)
    {
        var book = new RecurrenceBook();
        var log = await ControlLog.OpenAsync(
            new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, time),
            declare: false,
            book.Read,
            static () => { },
            cancellationToken).ConfigureAwait(false);
        await log.DisposeAsync().ConfigureAwait(false);
        var now = time.GetUtcNow();
        var notices = new NoticeBook(request, now);
        var isIndexed = await ReadIndexAsync(notices, cancellationToken).ConfigureAwait(false);
        return new ScheduleOverview(
            now,
            [.. book.All.Where(state => state.Lives || state.WhyUnreadable is not null).Select(state => RecurrenceSummary.Of(state, now))],
            isIndexed,
            notices.Waiting,
            notices.Next,
            notices.ByHour);
    }

    private async Task<bool> ReadIndexAsync(NoticeBook notices, CancellationToken cancellationToken)
    {
        var stream = ScheduleIndex.Open(connection, time);
        await using var ends = stream.ConfigureAwait(false);
        var position = new StreamPosition();
        if (!await stream.FollowAsync(Read, position.Fail, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        if (await stream.FindEndAsync(cancellationToken).ConfigureAwait(false) is { } end)
        {
            await position.ReachedAsync(end, cancellationToken).ConfigureAwait(false);
        }

        return true;

        void Read(StreamRecord record)
        {
            foreach (var notice in ScheduleIndex.Read(record.Body))
            {
                notices.Read(notice);
            }

            position.At(record.Offset);
        }
    }
}
