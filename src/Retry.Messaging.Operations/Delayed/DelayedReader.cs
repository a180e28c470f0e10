using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Pulse;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Counting;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.Operations.Delayed;

/// <summary>Reads what waits in the rungs of the ladder, and whose it is. It writes nothing and declares nothing.</summary>
/// <remarks>A process that is heard tells for itself. Of the others counts what they have reported.</remarks>
/// <param name="connection">The connection.</param>
/// <param name="board">What is heard; <see langword="null"/> where nobody listens. Then what processes sent in the last five seconds is not known.</param>
/// <param name="time">The clock.</param>
internal sealed class DelayedReader(IConnection connection, PulseBoard? board, TimeProvider time)
{
    /// <summary>Reads it.</summary>
    /// <exception cref="ControlException">The reports cannot be read.</exception>
    public async Task<DelayedOverview> ReadAsync(CancellationToken cancellationToken)
    {
        var reported = await ReportedAsync(cancellationToken).ConfigureAwait(false);
        var look = new PassiveLook(connection);
        await using var looks = look.ConfigureAwait(false);
        var totals = await TotalsAsync(look, cancellationToken).ConfigureAwait(false);
        var now = time.GetUtcNow();
        var waits = new Dictionary<string, List<RungWait>>(StringComparer.Ordinal);
        var heard = (board?.Nodes ?? []).ToDictionary(node => node, node => board!.ClimbingOf(node), StringComparer.Ordinal);
        foreach (var (queue, rungs) in heard.Values.OfType<IReadOnlyDictionary<string, IReadOnlyList<RungWait>>>().SelectMany(points => points))
        {
            Add(queue, rungs);
        }

        var killed = new List<ReportedNode>();
        foreach (var node in reported.Values.Where(node => heard.GetValueOrDefault(node.Node) is null))
        {
            foreach (var (queue, book) in node.Books)
            {
                Add(queue, book.WaitingAt(now));
            }

            if (totals.Any(rung => rung.Value > 0 && node.Books.Keys.Any(queue => node.MayHaveMoreIn(queue, rung.Key.Level, rung.Key.Digit, now)))
                && !await IsThereAsync(look, node, cancellationToken).ConfigureAwait(false))
            {
                killed.Add(node);
            }
        }

        return DelayedOverview.Of(
            totals,
            waits.ToDictionary(point => point.Key, point => Together(point.Value), StringComparer.Ordinal),
            (queue, level, digit) => killed.Any(node => node.MayHaveMoreIn(queue, level, digit, now)));

        void Add(string queue, IReadOnlyList<RungWait> rungs)
        {
            if (!waits.TryGetValue(queue, out var all))
            {
                waits[queue] = all = [];
            }

            all.AddRange(rungs);
        }
    }

    private static IReadOnlyList<RungWait> Together(IEnumerable<RungWait> rungs) =>
        [.. rungs.GroupBy(wait => (wait.Level, wait.Digit)).Select(rung => rung.Aggregate((one, other) => one.And(other)))];

    private async Task<Dictionary<string, ReportedNode>> ReportedAsync(CancellationToken cancellationToken)
    {
        var stream = new Announcements(new RecordStream(connection, BrokerNames.DelayedStream, ClimbReport.Retention, time));
        await using var ends = stream.ConfigureAwait(false);
        var nodes = new Dictionary<string, ReportedNode>(StringComparer.Ordinal);
        var now = time.GetUtcNow();
        foreach (var record in await stream.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (ClimbReport.Read(record) is { } report)
            {
                if (!nodes.TryGetValue(report.Node, out var node))
                {
                    nodes[report.Node] = node = new ReportedNode(report.Node);
                }

                node.Read(report, record.At, now);
            }
        }

        return nodes;
    }

    private static async Task<Dictionary<(int Level, int Digit), long>> TotalsAsync(PassiveLook look, CancellationToken cancellationToken)
    {
        var totals = new Dictionary<(int Level, int Digit), long>();
        foreach (var level in DelayLadder.Levels)
        {
            for (var digit = 1; digit <= level.MaxDigit; digit++)
            {
                if (await look.FindQueueAsync(BrokerNames.Rung(level, digit), cancellationToken).ConfigureAwait(false) is not { } rung)
                {
                    // a virtual host without a ladder has no rung at all
                    break;
                }

                totals[(level.Index, digit)] = rung.MessageCount;
            }
        }

        return totals;
    }

    // the broker deletes the sign of life with the connection of its instance
    private static async Task<bool> IsThereAsync(PassiveLook look, ReportedNode node, CancellationToken cancellationToken)
    {
        foreach (var instance in node.Instances)
        {
            if (await look.FindQueueAsync(BrokerNames.InstanceQueue(instance), cancellationToken).ConfigureAwait(false) is { ConsumerCount: > 0 })
            {
                return true;
            }
        }

        return false;
    }
}
