using RabbitMQ.Client;
using Retry.Messaging.Operations.Circuits;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Operations.Rules;

/// <summary>Tells what becomes of rules. It writes nothing and declares nothing.</summary>
internal sealed class RuleReader(IConnection connection, TimeProvider time)
{
    private const string NoCarrier = "No service with AddRetryOperations is there. Rules are carried out when one is.";

    /// <summary>All rules of a virtual host, or of a point.</summary>
    /// <param name="point">The work queue; <see langword="null"/> for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RabbitMq.Control.ControlException">They cannot be read.</exception>
    public async Task<IReadOnlyList<RuleReport>> ReadAsync(string? point, CancellationToken cancellationToken)
    {
        var book = await new RuleControl(connection, string.Empty, time).ReadAsync(cancellationToken).ConfigureAwait(false);
        var reports = new List<RuleReport>();
        foreach (var entry in book.Entries.Where(entry => entry.Lives && (point is null || entry.Point == point)))
        {
            reports.Add(await ReportAsync(entry, cancellationToken).ConfigureAwait(false));
        }

        return reports;
    }

    /// <summary>One rule; <see langword="null"/> where there is none of that name.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public async Task<RuleReport?> FindAsync(string point, string name, CancellationToken cancellationToken) =>
        (await ReadAsync(point, cancellationToken).ConfigureAwait(false)).FirstOrDefault(report => report.Entry.Name == name);

    private async Task<RuleReport> ReportAsync(RuleEntry entry, CancellationToken cancellationToken)
    {
        var carriers = await new PlansReader(connection, time).CarriersAsync(cancellationToken).ConfigureAwait(false);
        if (entry.Rule is not { } rule)
        {
            return new RuleReport(entry, null, $"This version cannot read it: {entry.WhyUnreadable}");
        }

        var trouble = carriers == 0 ? NoCarrier
            : rule.Trigger.ClosedFor is not null ? await WithoutBreakerAsync(rule.Point, cancellationToken).ConfigureAwait(false)
            : rule.Trigger.Build is { } build && rule.Runs.Count == 0 ? await WithoutBuildAsync(rule.Point, build, cancellationToken).ConfigureAwait(false)
            : null;
        return new RuleReport(entry, RuleDecision.Next(rule, time.GetUtcNow()), trouble);
    }

    private async Task<string?> WithoutBreakerAsync(string point, CancellationToken cancellationToken) =>
        await new CircuitControl(connection, time).ReadAsync(point, cancellationToken).ConfigureAwait(false) is { Instances: > 0, WithBreaker: 0 }
            ? $"No instance of '{point}' has a breaker, so its circuit never opens."
            : null;

    private async Task<string?> WithoutBuildAsync(string point, string build, CancellationToken cancellationToken)
    {
        var nodes = await new NodesReader(connection, time).ReadAsync(cancellationToken).ConfigureAwait(false);
        var serving = nodes.Where(node => node.IsThere && node.Points.Any(served => served.Queue == point)).ToList();
        return serving.Count > 0 && serving.All(node => node.Facts?.Build is null)
            ? $"No instance of '{point}' says of which build it is, wanted AddGradientRetry(o => o.Build = \"{build}\")."
            : null;
    }
}
