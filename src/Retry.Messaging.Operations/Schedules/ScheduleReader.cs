using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Listing;
using Retry.Messaging.RabbitMq.Recurring;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Schedules;

/// <summary>Reads what is scheduled in a virtual host. It writes nothing and declares nothing.</summary>
internal sealed class ScheduleReader(IConnection connection, TimeProvider time)
{
    /// <summary>Reads what recurs from the control log; what is scheduled once from the index, where there is one; and what of it was cancelled.</summary>
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
        var notices = new NoticeBook(request, await ReadCancelledAsync(now, cancellationToken).ConfigureAwait(false), now);
        var isIndexed = await ReadAsync(ScheduleIndex.Open(connection, time), ReadNotices, cancellationToken).ConfigureAwait(false);
        return new ScheduleOverview(
            now,
            [.. book.All.Where(state => state.Lives || state.WhyUnreadable is not null).Select(state => RecurrenceSummary.Of(state, now))],
            isIndexed,
            notices.Waiting,
            notices.Cancelled,
            notices.Next,
            notices.ByHour);

        void ReadNotices(StreamRecord record)
        {
            foreach (var notice in ScheduleIndex.Read(record.Body))
            {
                notices.Read(notice);
            }
        }
    }

    private async Task<HashSet<Guid>> ReadCancelledAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var cancelled = new HashSet<Guid>();
        var stream = new RecordStream(connection, BrokerNames.CancelledStream, CancellationLog.Retention, time);
        await ReadAsync(
            stream,
            record => cancelled.UnionWith(CancellationRecords.In(record).Select(one => one.Token).Where(token => ScheduleToken.DueOf(token) > now)),
            cancellationToken).ConfigureAwait(false);
        return cancelled;
    }

    // to its end, as it is when the reading begins; false where there is no such stream
    private static async Task<bool> ReadAsync(RecordStream stream, Action<StreamRecord> read, CancellationToken cancellationToken)
    {
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
            read(record);
            position.At(record.Offset);
        }
    }
}
