using RabbitMQ.Client;
using Retry.Messaging.Breaker;
using Retry.Messaging.Policies;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.Operations.Circuits;

/// <summary>Shows and sets the circuits of retry points while their services run, through documents in the broker.</summary>
internal sealed class CircuitControl(IConnection connection, TimeProvider time)
{
    /// <summary>The name of the setting by which a point has a breaker.</summary>
    private const string Setting = "Breaker";

    /// <summary>Reads a circuit, and who serves its point. It writes nothing.</summary>
    /// <exception cref="ControlException">The documents cannot be read.</exception>
    public async Task<CircuitReport> ReadAsync(string point, CancellationToken cancellationToken)
    {
        var log = await OpenAsync(declare: false, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        var nodes = await new NodesReader(connection, time).ReadAsync(cancellationToken).ConfigureAwait(false);
        var there = nodes.Where(node => node.IsThere).SelectMany(node => node.Points.Select(served => (node.By, Point: served))).ToList();
        var served = there.Where(one => one.Point.Queue == point).ToList();
        return new CircuitReport(
            Find(log, point),
            served.Count,
            served.Count(one => one.Point.Settings.Any(setting => setting is { Name: Setting, Value: "on" })),
            await IsJudgedAsync(point, cancellationToken).ConfigureAwait(false),
            [.. served.Where(one => one.Point.Ill is not null).Select(one => (one.By, one.Point.Ill!))]);
    }

    /// <summary>Sets a circuit by hand, or has outcomes decide again.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="hand">Who decides.</param>
    /// <param name="by">Who sets it.</param>
    /// <param name="why">Why.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ControlException">It cannot be written, or somebody else changed it at the same time.</exception>
    public async Task<CircuitDocument> SetAsync(string point, CircuitHand hand, string by, string? why, CancellationToken cancellationToken)
    {
        var log = await OpenAsync(declare: true, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        var before = Find(log, point);
        var state = hand switch
        {
            CircuitHand.Open => CircuitState.Open,
            CircuitHand.Closed => CircuitState.Closed,
            _ => before.State,
        };
        var now = time.GetUtcNow();
        var document = new CircuitDocument(point, state)
        {
            Hand = hand,
            Version = before.Version + 1,
            By = by,
            At = now,
            OpenSince = state == CircuitState.Closed ? null : before.OpenSince ?? now,
            LastOpening = state == CircuitState.Closed ? before.OpenSince ?? before.LastOpening : null,
            Interval = hand == CircuitHand.Auto && state != CircuitState.Closed ? before.Interval ?? RetryDefaults.BreakerInterval : null,
            Why = why ?? (hand == CircuitHand.Auto ? $"{by} leaves it to the outcomes" : $"set by {by}"),
        };
        return await log.AppendAsync(document.Write(), cancellationToken).ConfigureAwait(false)
            ? document
            : throw new ControlException($"The circuit of '{point}' was not set, because it changed at the same time. Run 'retryctl breaker status {point}', then try again.");
    }

    // one that makes no sense is replaced
    private static CircuitDocument Find(ControlLog log, string point)
    {
        var none = new CircuitDocument(point, CircuitState.Closed);
        if (log.Find(CircuitDocument.Kind, point) is not { } record)
        {
            return none;
        }

        return CircuitDocument.TryRead(record) ?? none with { Version = record.Version, By = record.By, At = record.At };
    }

    private async Task<bool> IsJudgedAsync(string point, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        return await CircuitJudge.IsThereAsync(look, point, cancellationToken).ConfigureAwait(false);
    }

    private Task<ControlLog> OpenAsync(bool declare, CancellationToken cancellationToken) => ControlLog.OpenAsync(
        new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, time),
        declare,
        static _ => { },
        static () => { },
        cancellationToken);
}
