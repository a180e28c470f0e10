using RabbitMQ.Client;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Strategies;

namespace Retry.Messaging.Operations.Delayed;

/// <summary>Lets go what waits of a point before it is due, by a document that its instances follow.</summary>
/// <remarks>
/// A rung is shared and first in, first out: whoever takes a message out of it holds back, or puts out of order, those of others. So a
/// message is released when it comes by its own point, which it does every so often where the point wants that.
/// </remarks>
internal sealed class DelayedReleaser(IConnection connection, TimeProvider time)
{
    private const int Tries = 5;

    /// <summary>How often the messages of a point come by, as its instances say. It writes nothing.</summary>
    /// <exception cref="ControlException">The announcements cannot be read.</exception>
    public async Task<DelayedVisits> VisitsOfAsync(string point, CancellationToken cancellationToken)
    {
        var nodes = await new NodesReader(connection, time).ReadAsync(cancellationToken).ConfigureAwait(false);
        return DelayedVisits.Of(
            point,
            [
                .. from node in nodes
                   where node.IsThere
                   from served in node.Points
                   where served.Queue == point
                   let said = served.Settings?.FirstOrDefault(setting => setting.Name == SettingOrigins.ReleasableWithin)?.Value
                   select (node.By, said is null or SettingOrigins.None ? null : said),
            ]);
    }

    /// <summary>Releases what waits since before a moment. What was released before stays so.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="waitsSinceBefore">The moment; a message waits since its last failure, or since it was postponed.</param>
    /// <param name="by">Who releases.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ControlException">It cannot be written.</exception>
    public async Task ReleaseAsync(string point, DateTimeOffset waitsSinceBefore, string by, CancellationToken cancellationToken)
    {
        var log = await ControlLog.OpenAsync(
            new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, time),
            declare: true,
            static _ => { },
            static () => { },
            cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        for (var i = 0; i < Tries; i++)
        {
            var last = log.Find(ReleaseDocument.Kind, point);
            var before = ReleaseDocument.Read(last, point).WaitsSinceBefore;
            var document = new ReleaseDocument(point, before > waitsSinceBefore ? before : waitsSinceBefore);
            if (await log.AppendAsync(document.Write((last?.Version ?? 0) + 1, by, time.GetUtcNow()), cancellationToken).ConfigureAwait(false))
            {
                return;
            }
        }

        throw new ControlException($"What waits of '{point}' was not released, because other operators did so at the same time. Try again.");
    }
}
