using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Recurring;

namespace Retry.Messaging.Operations.Schedules;

/// <summary>What an operator says about a recurrence.</summary>
/// <param name="connection">An open connection.</param>
/// <param name="by">Who says so.</param>
/// <param name="time">The clock.</param>
internal sealed class RecurrenceControl(IConnection connection, string by, TimeProvider time)
{
    /// <summary>Says something about a recurrence.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="say">What is said.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The recurrence afterwards; <see langword="null"/> where nothing recurs by that name, and nothing was said.</returns>
    /// <exception cref="ControlException">The control log cannot be read or written.</exception>
    public async Task<RecurrenceSummary?> SayAsync(string name, Func<RecurrenceWriter, Task> say, CancellationToken cancellationToken)
    {
        var book = new RecurrenceBook();
        var log = await ControlLog.OpenAsync(
            new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, time),
            declare: false,
            book.Read,
            static () => { },
            cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        if (book.Of(name) is { Lives: false, WhyUnreadable: null })
        {
            return null;
        }

        await say(new RecurrenceWriter(log, book, by, time)).ConfigureAwait(false);
        return RecurrenceSummary.Of(book.Of(name), time.GetUtcNow());
    }
}
