using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Rules;

/// <summary>Carries out what <see cref="RuleDecision"/> decides, while this service has the turn.</summary>
internal sealed partial class RuleSession(IConnection connection, ControlLog log, PlanLog plans, RuleBook book, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenLooksAtNodes = TimeSpan.FromSeconds(5);

    private readonly string _by = $"{Environment.MachineName}:{Environment.ProcessId}";
    private readonly BuildWatch _builds = new();
    private readonly Dictionary<string, DateTimeOffset?> _buildSince = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _beginning = new(StringComparer.Ordinal);
    private readonly HashSet<string> _said = new(StringComparer.Ordinal);
    private long? _lookedAtNodes;

    /// <summary>Runs until it is cancelled, the turn is over, or a log can no longer be followed.</summary>
    public async Task RunAsync(Func<bool> hasTurn, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (hasTurn() && log.Failure is null && plans.Failure is null)
            {
                await LookAsync(over.Token).ConfigureAwait(false);
                await Task.Delay(BetweenLooks, time, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            // a plan that is half made belongs to this turn; what stands in the plans of it is taken away by the next who enters
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(_beginning.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var entries = book.Entries;
        if (entries.Any(entry => entry.Rule is { Unfinished: { } run } rule && plans.BookOf(rule.Point).Plans.All(plan => plan.Id != run.Plan)))
        {
            // its plan may just have been made
            await plans.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        }

        await LookAtNodesAsync([.. entries.Select(entry => entry.Rule).OfType<Rule>().Where(IsForBuild)], cancellationToken).ConfigureAwait(false);
        foreach (var entry in entries)
        {
            if (entry.Rule is not { } rule)
            {
                SayOnce($"{entry.Name}/{entry.Point}:{entry.Version}", () => LogUnreadable(entry.Name, entry.Point, entry.WhyUnreadable!));
            }
            else if (_beginning.GetValueOrDefault(rule.Key) is not { IsCompleted: false })
            {
                await GoOnAsync(rule, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task GoOnAsync(Rule rule, CancellationToken cancellationToken)
    {
        while (RuleDecision.Of(rule, FactsOf(rule), _by, time.GetUtcNow()) is { } step)
        {
            if (step.Begin is { } run)
            {
                _beginning[rule.Key] = BeginAsync(rule, run, cancellationToken);
                return;
            }

            if (!await TryWriteAsync(step.Write!, cancellationToken).ConfigureAwait(false) || book.Find(rule.Point, rule.Name)?.Rule is not { } written)
            {
                // an operator was first: what they say is read with the next look
                return;
            }

            if (written.Runs is [{ State: RuleRunState.GivenUp } given, ..])
            {
                LogGivenUp(rule.Name, rule.Point, given.Why!);
            }

            rule = written;
        }
    }

    private async Task BeginAsync(Rule rule, RuleRun run, CancellationToken cancellationToken)
    {
        await Task.Yield();
        using var waits = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Plan? made = null;
        var order = new PlanOrder(run.Plan, new PlanTerms(PlanAction.Replay) { PerSecond = rule.PerSecond })
        {
            By = $"rule {rule.Name}",
            Detaches = true,
            IsMadeOnce = true,
            // who works on the lot is waited for by looking again, so that a pause is seen
            Waits = _ => waits.Cancel(),
            Begins = plan => made = plan,
        };
        try
        {
            var now = time.GetUtcNow();
            var lot = new ParkingLot(connection, time);
            await foreach (var _ in lot.RunAsync(rule.Point, FilterOf(rule, now), order, found: null, progress: null, waits.Token).ConfigureAwait(false))
            {
            }

            var begun = made is null
                ? run with { State = RuleRunState.Nothing, Count = 0, EndedAt = time.GetUtcNow() }
                : run with { State = RuleRunState.Begun, Count = made.Count };
            LogBegan(rule.Name, rule.Point, rule.Trigger.Words, made?.Count ?? 0, run.Plan);
            await TryWriteAsync(rule.WithLast(begun), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (waits.IsCancellationRequested)
        {
        }
#pragma warning disable CA1031 // what keeps one rule from beginning is said, and tried again; the others go on
        catch (Exception exception)
        {
            SayOnce(run.Plan, () => LogNotBegun(rule.Name, rule.Point, exception.Message));
        }
#pragma warning restore CA1031
    }

    private static ParkedFilter FilterOf(Rule rule, DateTimeOffset now)
    {
        var filter = rule.Conditions.ToFilter(now);
        return filter with
        {
            Limit = rule.Limit,
            Also = message => message.Replayed < rule.Times && filter.Also?.Invoke(message) != false,
        };
    }

    private Task<bool> TryWriteAsync(Rule rule, CancellationToken cancellationToken) =>
        log.AppendAsync(RuleDocuments.Write(rule, rule.Version + 1, _by, time.GetUtcNow()), cancellationToken);

    private RuleFacts FactsOf(Rule rule) => new()
    {
        Plans = plans.BookOf(rule.Point),
        Circuit = book.CircuitOf(rule.Point),
        BuildSince = _buildSince.GetValueOrDefault(rule.Key),
    };

    private async Task LookAtNodesAsync(IReadOnlyList<Rule> rules, CancellationToken cancellationToken)
    {
        if (rules.Count == 0 || (_lookedAtNodes is { } last && time.GetElapsedTime(last) < BetweenLooksAtNodes))
        {
            return;
        }

        _lookedAtNodes = time.GetTimestamp();
        var nodes = await new NodesReader(connection, time).ReadAsync(cancellationToken).ConfigureAwait(false);
        foreach (var rule in rules)
        {
            _buildSince[rule.Key] = _builds.Look(nodes, rule.Point, rule.Trigger.Build!, time.GetUtcNow());
        }
    }

    private static bool IsForBuild(Rule rule) => rule.Trigger.Build is { } build && rule.Runs.All(run => run.Plan != rule.PlanOf($"build:{build}"));

    private void SayOnce(string what, Action say)
    {
        lock (_said)
        {
            if (!_said.Add(what))
            {
                return;
            }
        }

        say();
    }

    [LoggerMessage(LogEvents.RuleBegan, LogLevel.Information, "Rule {Rule} of {Queue} replays ({Trigger}): {Count} messages, plan {Plan}")]
    private partial void LogBegan(string rule, string queue, string trigger, int count, string plan);

    [LoggerMessage(LogEvents.RuleNotBegun, LogLevel.Warning, "Rule {Rule} of {Queue} cannot replay yet: {Reason}")]
    private partial void LogNotBegun(string rule, string queue, string reason);

    [LoggerMessage(LogEvents.RuleGivenUp, LogLevel.Warning, "Rule {Rule} of {Queue} does not replay this time: {Reason}")]
    private partial void LogGivenUp(string rule, string queue, string reason);

    [LoggerMessage(LogEvents.RuleUnreadable, LogLevel.Warning, "Rule {Rule} of {Queue} cannot be read by this version, and is not carried out: {Reason}")]
    private partial void LogUnreadable(string rule, string queue, string reason);
}
