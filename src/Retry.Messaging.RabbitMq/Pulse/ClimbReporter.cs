using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Counting;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>Reports what the process has sent up the ladder, every five seconds in which it sent something, and once more when it stops.</summary>
internal sealed class ClimbReporter(
    string node,
    string by,
    Func<ICollection<PointTelemetry>> points,
    Func<IReadOnlyList<string>> instances,
    TimeProvider time) : IControlPart
{
    private bool _hasSaid;

    /// <inheritdoc/>
    public string Name => "the report of what climbs";

    /// <inheritdoc/>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var stream = Open(connection);
        await using var ends = stream.ConfigureAwait(false);
        using var timer = new PeriodicTimer(ClimbReport.Interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            await SayAsync(stream, isLast: false, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async Task EndAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var stream = Open(connection);
        await using var ends = stream.ConfigureAwait(false);
        await SayAsync(stream, isLast: true, cancellationToken).ConfigureAwait(false);
    }

    private Announcements Open(IConnection connection) => new(new RecordStream(connection, BrokerNames.DelayedStream, ClimbReport.Retention, time));

    private async Task SayAsync(Announcements stream, bool isLast, CancellationToken cancellationToken)
    {
        var taken = points().Select(point => (Point: point, Sent: point.Counts.Climbs.TakeUnreported())).Where(point => point.Sent.Count > 0).ToList();
        if (taken.Count == 0 && !(isLast && _hasSaid))
        {
            return;
        }

        try
        {
            var sent = taken.GroupBy(point => point.Point.Queue, point => point.Sent, StringComparer.Ordinal)
                .ToDictionary(point => point.Key, point => Write(point.SelectMany(delays => delays)));
            var report = new ClimbReport(node, instances(), sent) { IsLast = isLast };
            await stream.SayAsync(report.Write(by, time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
            _hasSaid = true;
        }
        catch
        {
            taken.ForEach(point => point.Point.Counts.Climbs.PutBack(point.Sent));
            throw;
        }
    }

    private static IReadOnlyList<ClimbReport.Sent> Write(IEnumerable<KeyValuePair<TimeSpan, List<ClimbRun>>> delays) =>
        [.. delays.Select(delay => ClimbReport.Sent.Of(delay.Key, delay.Value))];
}
