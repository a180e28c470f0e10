using System.Text.Json;
using RabbitMQ.Client;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Strategies;

namespace Retry.Messaging.Operations.Policies;

/// <summary>Sets policies of retry points while their services run, through documents in the broker.</summary>
/// <remarks>What is set holds within two seconds on each instance, over restarts, and wins over appsettings and code until it is cleared.</remarks>
internal sealed class PolicyControl(IConnection connection, TimeProvider time)
{
    /// <summary>The longest reason, in characters.</summary>
    public const int LongestReason = 500;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads what is set, and what the instances say. It writes nothing.</summary>
    /// <exception cref="ControlException">The documents cannot be read.</exception>
    public async Task<PolicyReport> ReadAsync(string point, CancellationToken cancellationToken)
    {
        var log = await OpenAsync(declare: false, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        var limiter = await new LimiterControl(connection, time).ReadAsync(point, cancellationToken).ConfigureAwait(false);
        return new PolicyReport(Find(log, point), await NodesAsync(point, cancellationToken).ConfigureAwait(false), limiter);
    }

    /// <summary>Sets settings, over those that operators have set before.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="settings">The settings by name, as in appsettings.</param>
    /// <param name="by">Who sets them.</param>
    /// <param name="why">Why.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RetryConfigurationException">Settings are wrong; it says all that are.</exception>
    /// <exception cref="ControlException">It cannot be written, or somebody else changed it at the same time.</exception>
    public Task<PolicyDocument> SetAsync(
        string point,
        IReadOnlyDictionary<string, JsonElement> settings,
        string by,
        string? why,
        CancellationToken cancellationToken) =>
        ChangeAsync(point, by, why, before => OperatorSettings.Over(settings, before), cancellationToken);

    /// <summary>Takes back what operators have set: the service's own settings hold again.</summary>
    /// <inheritdoc cref="SetAsync"/>
    public Task<PolicyDocument> ClearAsync(string point, string by, string? why, CancellationToken cancellationToken) =>
        ChangeAsync(point, by, why, static _ => new Dictionary<string, JsonElement>(), cancellationToken);

    /// <summary>Waits until each instance that is there has said that it applies a document, for five seconds at most.</summary>
    /// <returns>What they say then.</returns>
    public async Task<PolicyReport> AppliedAsync(string point, long version, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var report = await ReadAsync(point, cancellationToken).ConfigureAwait(false);
            var isSaid = report.Served.All(served => served.PolicyVersion is null || served.PolicyVersion == version || served.PolicyTrouble is not null);
            if (isSaid || time.GetElapsedTime(began) > Patience)
            {
                return report;
            }

            await Task.Delay(Look, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<PolicyDocument> ChangeAsync(
        string point,
        string by,
        string? why,
        Func<IReadOnlyDictionary<string, JsonElement>, IReadOnlyDictionary<string, JsonElement>> change,
        CancellationToken cancellationToken)
    {
        var log = await OpenAsync(declare: true, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        var before = Find(log, point);
        var settings = change(before.Settings);
        RetryConfigurationException.ThrowOnErrors(OperatorSettings.Read(settings, point).Findings);
        var document = new PolicyDocument(point, settings)
        {
            Version = before.Version + 1,
            By = by,
            At = time.GetUtcNow(),
            Why = why,
            Before = before.Version > 0 ? before : null,
        };
        return await log.AppendAsync(document.Write(), cancellationToken).ConfigureAwait(false)
            ? document
            : throw new ControlException($"The policy of '{point}' was not written, because another operator changed it at the same time. Run 'retryctl policy show {point}', then try again.");
    }

    // one that makes no sense is replaced
    private static PolicyDocument Find(ControlLog log, string point)
    {
        if (log.Find(PolicyDocument.Kind, point) is not { } record)
        {
            return PolicyDocument.None(point);
        }

        try
        {
            return PolicyDocument.Read(record);
        }
        catch (ControlException)
        {
            return PolicyDocument.None(point) with { Version = record.Version, By = record.By, At = record.At };
        }
    }

    private Task<ControlLog> OpenAsync(bool declare, CancellationToken cancellationToken) => ControlLog.OpenAsync(
        new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, time),
        declare,
        static _ => { },
        static () => { },
        cancellationToken);

    private async Task<IReadOnlyList<NodeSummary>> NodesAsync(string point, CancellationToken cancellationToken)
    {
        var nodes = await new NodesReader(connection, time).ReadAsync(cancellationToken).ConfigureAwait(false);
        return [.. nodes.Where(node => node.IsThere && node.Points.Any(served => served.Queue == point))];
    }
}
