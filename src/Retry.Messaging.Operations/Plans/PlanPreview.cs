using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Reads what a plan would move. It reserves nothing and writes nothing.</summary>
/// <param name="connection">The connection.</param>
/// <param name="time">The clock.</param>
internal sealed class PlanPreview(IConnection connection, TimeProvider time)
{
    /// <summary>The messages that were read: a plan that gets them moves these, and no others.</summary>
    public LotSet Set { get; } = new();

    /// <summary>How many were left out because a cancelled plan may have sent them.</summary>
    public int KeptBack { get; private set; }

    /// <summary>The plan that keeps others from the lot; <see langword="null"/> where none does.</summary>
    public Plan? Open { get; private set; }

    /// <summary>Reads.</summary>
    /// <param name="listed">The messages that the filter selects.</param>
    /// <param name="queue">The work queue whose plans may have sent some of them; <see langword="null"/> where those are taken, too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ParkingException">The lot or the plans cannot be read.</exception>
    public async IAsyncEnumerable<ParkedMessage> ReadAsync(
        IAsyncEnumerable<ParkedMessage> listed,
        string? queue,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var book = queue is null ? null : await BookOfAsync(queue, cancellationToken).ConfigureAwait(false);
        Open = book?.Open is { IsOver: false, State: not PlanState.Preparing } open ? open : null;
        var kept = new KeptBack(book);
        await foreach (var message in listed.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (kept.Keeps(message))
            {
                KeptBack = kept.Count;
                continue;
            }

            Set.Add(message);
            yield return message;
        }
    }

    private async Task<PlanBook> BookOfAsync(string queue, CancellationToken cancellationToken)
    {
        var log = await PlanLog.OpenAsync(connection, declare: false, time, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        return log.BookOf(queue);
    }
}
