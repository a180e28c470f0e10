using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Gives up the rest of a plan that was left unfinished.</summary>
/// <remarks>
/// What a run had announced and is still parked may have been sent: its copy may have been confirmed and the message not yet taken
/// out. It stays parked, and later plans leave it alone unless they are told not to. To know it, the lot is read, with nobody else
/// reading at the same time: what another holds could not be seen.
/// </remarks>
internal sealed class PlanCancellation(IConnection connection, LotSource source, TimeProvider time)
{
    private const int MostReadings = 20;
    private static readonly TimeSpan BetweenReadings = TimeSpan.FromSeconds(1);

    /// <summary>Cancels a plan.</summary>
    /// <param name="plan">The plan, as it was read.</param>
    /// <param name="order">Who cancels it.</param>
    /// <param name="progress">Told now and then how far the reading is.</param>
    /// <param name="cancellationToken">Gives up; the plan stays open.</param>
    /// <returns>The plan as it ended, and the messages that may have been sent.</returns>
    /// <exception cref="ParkingException">The lot or the journal cannot be read, or others keep reading the lot.</exception>
    public async Task<(Plan Plan, IReadOnlyList<ParkedMessage> MayHaveBeenSent)> RunAsync(
        Plan plan,
        PlanOrder order,
        IProgress<ParkingProgress>? progress,
        CancellationToken cancellationToken)
    {
        var door = await PlanDoor.EnterAsync(connection, plan.Queue, order, time, cancellationToken).ConfigureAwait(false);
        await using var doorEnds = door.ConfigureAwait(false);
        var open = door.Book.Open!;
        var journal = new PlanJournal(connection, open.Id, time);
        await using var journalEnds = journal.ConfigureAwait(false);
        var set = await PlanSet.ReadAsync(open, journal, cancellationToken).ConfigureAwait(false);
        var found = await LookAsync(set, door.Book.DoubtfulKeys(), progress, cancellationToken).ConfigureAwait(false);
        if (found.Announced.Count + found.StillDoubtful.Count > PlanBook.MostDoubtful)
        {
            throw new ParkingException(
                $"Plan {open.Id} was not cancelled: found more than {PlanBook.MostDoubtful} messages that may have been sent, which is the most that can be kept from later plans. 'retryctl plans resume {open.Id}' sends them, marked as what may be there twice.");
        }

        var ended = open with
        {
            State = PlanState.Cancelled,
            RunBy = order.By,
            RunAt = time.GetUtcNow(),
            Moved = open.Count - found.Met,
            MayHaveBeenSent = found.Announced.Count,
        };
        await door.WriteAsync(door.Book.WithDoubtfulOnly(found.StillDoubtful), cancellationToken).ConfigureAwait(false);
        await door.CloseAsync(ended, [.. found.Announced.Select(LotKey.Of)]).ConfigureAwait(false);
        return (ended, found.Announced);
    }

    private async Task<Look> LookAsync(LotSet set, IReadOnlySet<ulong> doubtful, IProgress<ParkingProgress>? progress, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var looks = look.ConfigureAwait(false);
        for (var reading = 0; reading < MostReadings; reading++)
        {
            if (await IsUnreadAsync(look, cancellationToken).ConfigureAwait(false))
            {
                var found = await ReadAsync(set, doubtful, progress, cancellationToken).ConfigureAwait(false);
                if (await IsUnreadAsync(look, cancellationToken).ConfigureAwait(false))
                {
                    return found;
                }
            }

            await Task.Delay(BetweenReadings, time, cancellationToken).ConfigureAwait(false);
        }

        throw new ParkingException($"Queue '{source.Queue}' is being read by others, which keeps messages from being seen; nothing was changed. Run the command again when they have ended.");
    }

    private async Task<Look> ReadAsync(LotSet set, IReadOnlySet<ulong> doubtful, IProgress<ParkingProgress>? progress, CancellationToken cancellationToken)
    {
        set.BeginReading();
        var (met, announced, stillDoubtful) = (0, new List<ParkedMessage>(), new HashSet<ulong>());
        var reader = await LotReader.OpenAsync(connection, source, new LotRequest(ParkedFilter.All), time, cancellationToken).ConfigureAwait(false);
        await using var ends = reader.ConfigureAwait(false);
        await foreach (var message in reader.LookAsync(null, progress, cancellationToken).ConfigureAwait(false))
        {
            if (doubtful.Count > 0 && LotKey.Of(message) is var key && doubtful.Contains(key))
            {
                stillDoubtful.Add(key);
            }

            if (set.TryMeet(message))
            {
                met++;
                if (message.EarlierRuns > 0 && announced.Count <= PlanBook.MostDoubtful)
                {
                    announced.Add(message);
                }
            }
        }

        return new Look(met, announced, stillDoubtful);
    }

    private async Task<bool> IsUnreadAsync(PassiveLook look, CancellationToken cancellationToken) =>
        await look.FindQueueAsync(source.Queue, cancellationToken).ConfigureAwait(false) is not { ConsumerCount: > 0 };

    private sealed record Look(int Met, IReadOnlyList<ParkedMessage> Announced, IReadOnlySet<ulong> StillDoubtful);
}
