using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Moves what was in a parking lot, or in the lost queue, when it was read.</summary>
/// <remarks>
/// <list type="number">
/// <item>The lot is read once, which changes nothing: that is the set. A caller that has shown a preview brings the preview's set along.</item>
/// <item>It is read again, and what is in the set is moved. What is not is held until the end of the round, and given back.</item>
/// <item>Of two that do so at the same time, each holds some of the other's messages. So another round follows, after a pause that
/// is not the same for both, until all are moved. What two rounds without another reader have not met was taken by somebody: at the
/// first, what an earlier reader held may not have been back yet.</item>
/// </list>
/// </remarks>
internal sealed class LotMove(IConnection connection, LotSource source, TimeProvider time, Random random)
{
    private const int EnoughAlone = 2;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A broker takes back what is held for half an hour; a slow move gives it back before, and reads again.
    private static readonly TimeSpan LongestRound = TimeSpan.FromMinutes(10);

    /// <summary>Writes down which messages are about to be moved, before the first of them is; <see langword="null"/> where nobody does.</summary>
    public Func<IReadOnlyList<LotDelivery>, Task>? Announce { get; init; }

    /// <summary>How fast moves begin; <see langword="null"/> for as fast as they can.</summary>
    public MovePace? Pace { get; init; }

    /// <summary>Moves, and streams what was moved.</summary>
    /// <param name="request">Which messages.</param>
    /// <param name="move">Moves one; false when it has nowhere to go and stays.</param>
    /// <param name="progress">Told now and then how far it is.</param>
    /// <param name="cancellationToken">Ends it in good order.</param>
    /// <exception cref="ParkingException">It cannot be read or moved, or another reader keeps holding what should be moved.</exception>
    public async IAsyncEnumerable<ParkedMessage> RunAsync(
        LotRequest request,
        Func<LotDelivery, Task<bool>> move,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var set = request.Of ?? request.Filter.Shown ?? await ReadAsync(request, progress, cancellationToken).ConfigureAwait(false);
        var look = new PassiveLook(connection);
        await using var lookEnds = look.ConfigureAwait(false);
        var lastTaken = time.GetTimestamp();
        var roundsAlone = 0;
        while (set.Count is > 0 and var before)
        {
            var alone = await IsUnreadAsync(look, cancellationToken).ConfigureAwait(false);
            var most = Pace is null ? before : (int)Math.Clamp(Pace.PerSecond * LongestRound.TotalSeconds, 1, before);
            var started = 0;
            set.BeginReading();
            var reader = await LotReader.OpenAsync(connection, source, request with { Of = set }, time, cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                using var mover = new LotMover(reader, move, most, time, progress) { Set = set, Announce = Announce, Pace = Pace };
                await foreach (var message in mover.RunAsync(cancellationToken).ConfigureAwait(false))
                {
                    yield return message;
                }

                started = mover.Started;
            }

            var left = set.Count;
            if (started == most && most < before)
            {
                continue;
            }

            roundsAlone = alone && await IsUnreadAsync(look, cancellationToken).ConfigureAwait(false) ? roundsAlone + 1 : 0;
            if (left == 0 || roundsAlone == EnoughAlone)
            {
                yield break;
            }

            lastTaken = left < before ? time.GetTimestamp() : lastTaken;
            if (time.GetElapsedTime(lastTaken) > Patience)
            {
                throw new ParkingException($"{left} messages of queue '{source.Queue}' have not come back for {Patience.TotalSeconds:0} s, because another reader of the queue has taken or holds them. Run the command again when that reader has ended.");
            }

            await Task.Delay(Pause * (0.5 + random.NextDouble()), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads what is there, which changes nothing.</summary>
    /// <param name="request">Which messages.</param>
    /// <param name="progress">Told now and then how far it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ParkingException">It cannot be read.</exception>
    public async Task<LotSet> ReadAsync(LotRequest request, IProgress<ParkingProgress>? progress, CancellationToken cancellationToken)
    {
        var set = new LotSet();
        var reader = await LotReader.OpenAsync(
            connection,
            source,
            request with { WithBodies = false, TakesOut = false },
            time,
            cancellationToken).ConfigureAwait(false);
        await using var ends = reader.ConfigureAwait(false);
        await foreach (var message in reader.LookAsync(request.Filter.Limit, progress, cancellationToken).ConfigureAwait(false))
        {
            set.Add(message);
        }

        return set;
    }

    private async Task<bool> IsUnreadAsync(PassiveLook look, CancellationToken cancellationToken) =>
        await look.FindQueueAsync(source.Queue, cancellationToken).ConfigureAwait(false) is not { ConsumerCount: > 0 };
}
