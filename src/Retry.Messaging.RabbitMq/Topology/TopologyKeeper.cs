using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>Keeps the ladder and the points of one bus as planned: at the start, on every new connection, and while it runs.</summary>
/// <remarks>
/// <list type="number">
/// <item>It looks every half a minute or so, and at once when a publish has found something missing: 70 small questions.</item>
/// <item>It binds the queues of its points each time: bindings cannot be seen, and another service that declared an exchange again bound
/// only its own queues.</item>
/// <item>Something is missing: first the way back to the queues, then the points, then the ladder from the foot up. What comes off a
/// rung meanwhile finds its way, or no exchange at all and stays where it is.</item>
/// <item>What is found missing on a connection that worked is looked for a second time, since a deletion may be under way.</item>
/// <item>All exchanges of the ladder are missing: it waits for a grace before the last step, in which every other service looks and binds its queues.</item>
/// <item>Its endpoint has each point declared as soon as its work queue exists; limiter and publisher wait for that (<see cref="PointDeclarations"/>).</item>
/// <item>Nothing else in a service declares them. The mover of lost messages has a queue of its own, and binds what it sends to.</item>
/// <item>Where somebody else manages the topology it only says what is missing.</item>
/// </list>
/// </remarks>
internal sealed class TopologyKeeper(TopologyManagement manage, TopologyRounds rounds, TimeProvider time, Random random, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<TopologyPlan, string> _points = new(ReferenceEqualityComparer.Instance);
    private readonly TopologyReporter _reporter = new(time, logger);
    private readonly PointDeclarations _declarations = new();
    private readonly TaskCompletionSource _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IConnection? _connection;
    private Task _started = Task.CompletedTask;
    private DateTimeOffset? _waitsUntil;
    private bool _mayBind = true;
    private bool _hasLooked;
    private string? _different;

    /// <summary>Whether there are points to look after: then their endpoints have it started.</summary>
    public bool HasPoints => !_points.IsEmpty;

    /// <summary>Completes when it has looked once, and declared what was missing; at once where nobody looks.</summary>
    public Task Looked => manage == TopologyManagement.Never ? Task.CompletedTask : _looked.Task;

    /// <summary>What the last look saw.</summary>
    public TopologyCondition Condition { get; private set; } = TopologyCondition.Complete;

    /// <summary>What is wrong, with the next step; <see langword="null"/> when nothing is known to be. The health check asks.</summary>
    public string? Trouble => Condition is { Missing.Count: > 0 } condition
        ? $"Missing since {condition.Since:u}: {condition.Summary}. Run '{ApplyCommand.For(_points)}'."
        : _different;

    /// <summary>Looks after a point from now on.</summary>
    /// <param name="workQueue">Its work queue, which is MassTransit's to declare.</param>
    /// <param name="point">What it adds to the ladder.</param>
    public void Add(string workQueue, TopologyPlan point) => _points.TryAdd(point, workQueue);

    /// <summary>Leaves a point alone from now on.</summary>
    public void Remove(TopologyPlan point) => _points.TryRemove(point, out _);

    /// <summary>Declares a point as soon as its work queue is there. Endpoint, limiter and publisher wait for the same declaration.</summary>
    /// <returns>What exists with other properties than planned. Nothing where somebody else manages the topology: there nothing is declared.</returns>
    /// <exception cref="TopologyException">The broker refused a part of it.</exception>
    public Task<IReadOnlyList<TopologyException>> DeclareAsync(IConnection connection, TopologyPlan point, CancellationToken cancellationToken) =>
        manage == TopologyManagement.OnStart
            ? _declarations.DeclareAsync(connection, point, cancellationToken)
            : Task.FromResult<IReadOnlyList<TopologyException>>([]);

    /// <summary>Lets a point be declared again: its work queue may have been deleted, and its bindings with it.</summary>
    public void Forget(IConnection connection, TopologyPlan point) => _declarations.Forget(connection, point);

    /// <summary>Looks, and mends, for the first time on a connection, and goes on until that is closed. What goes wrong is logged.</summary>
    /// <param name="connection">The connection of the bus; all its endpoints may call.</param>
    /// <param name="listen">Has what it is given called whenever something is found missing on the connection.</param>
    /// <param name="cancellationToken">Stops waiting for the first look.</param>
    public Task StartAsync(IConnection connection, Action<Action> listen, CancellationToken cancellationToken)
    {
        if (manage == TopologyManagement.Never)
        {
            return Task.CompletedTask;
        }

        lock (_lock)
        {
            if (!ReferenceEquals(_connection, connection))
            {
                _connection = connection;
                var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _started = first.Task;
                _ = WatchAsync(connection, listen, first);
            }

            return _started.WaitAsync(cancellationToken);
        }
    }

    private async Task WatchAsync(IConnection connection, Action<Action> listen, TaskCompletionSource first)
    {
        await Task.Yield();
        var call = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        listen(Call);
        connection.ConnectionShutdownAsync += OnShutdownAsync;
        try
        {
            while (connection.IsOpen)
            {
                var looked = time.GetTimestamp();
                await TryLookAsync(connection, isFirst: !first.Task.IsCompleted).ConfigureAwait(false);
                first.TrySetResult();
                _looked.TrySetResult();
                await PauseAsync(looked).ConfigureAwait(false);
            }
        }
        finally
        {
            first.TrySetResult();
            connection.ConnectionShutdownAsync -= OnShutdownAsync;
        }

        async Task PauseAsync(long looked)
        {
            try
            {
                var pause = random.Around(rounds.Interval);
                var rest = (_waitsUntil - time.GetUtcNow()) ?? pause;
                await call.Task.WaitAsync(rest < pause && rest > TimeSpan.Zero ? rest : pause, time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
            }

            call = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var left = rounds.Shortest - time.GetElapsedTime(looked);
            if (connection.IsOpen && left > TimeSpan.Zero)
            {
                await Task.Delay(left, time).ConfigureAwait(false);
            }
        }

        void Call() => call.TrySetResult();

        Task OnShutdownAsync(object sender, RabbitMQ.Client.Events.ShutdownEventArgs args)
        {
            Call();
            return Task.CompletedTask;
        }
    }

    private async Task TryLookAsync(IConnection connection, bool isFirst)
    {
        try
        {
            await LookAsync(connection, isFirst).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // the watch goes on whatever the broker says
        catch (Exception exception)
        {
            // a connection that is gone has been said by others, and the next one has a watch of its own
            if (connection.IsOpen)
            {
                _reporter.SayUnseen(BrokerFailures.Explain(exception).TrimEnd('.'));
            }
        }
#pragma warning restore CA1031
    }

    private async Task LookAsync(IConnection connection, bool isFirst)
    {
        // On a broker that has never had a ladder each question would be an error in its log.
        var fresh = isFirst && manage == TopologyManagement.OnStart && !await HasLadderAsync(connection).ConfigureAwait(false);
        var missing = fresh ? TopologyPlan.Nothing : await FindMissingAsync(connection).ConfigureAwait(false);
        if (!isFirst && missing.Exchanges.Count > 0 && Condition.Missing.Count == 0)
        {
            // Half of a ladder that is being deleted looks like one that lost a part. Declared at once, it would come back before
            // the other services have bound their queues.
            await Task.Delay(rounds.Settle, time).ConfigureAwait(false);
            missing = await FindMissingAsync(connection).ConfigureAwait(false);
        }

        var since = Condition.Since ?? time.GetUtcNow();
        var before = TopologyCondition.Of(missing, since);
        if (manage == TopologyManagement.Verify)
        {
            Condition = before;
            _reporter.SaySeen(Condition, ApplyCommand.For(_points));
            return;
        }

        var waits = TopologyMending.MustWait(missing, time.GetUtcNow() - since, rounds.Grace);
        _waitsUntil = waits ? since + rounds.Grace : null;
        var refusals = await TopologyMending.MendAsync(
            connection,
            missing,
            points: !fresh && (_mayBind || before.Missing.Count > 0) ? _points.Keys : [],
            ladder: !waits && (isFirst || before.Missing.Count > 0)).ConfigureAwait(false);
        // each try would be an error in the broker's log; an operator or another service binds instead
        _mayBind &= !refusals.Any(refusal => refusal.IsForbidden);
        Condition = before.Missing.Count > 0 || refusals.Count > 0
            ? TopologyCondition.Of(await FindMissingAsync(connection).ConfigureAwait(false), since)
            : before;
        // a service that starts says nothing of what it declares, and one that lost its connection has missed nobody
        var isStart = isFirst && (!_hasLooked || before.Missing.Count == 0);
        _hasLooked = true;
        if (isStart && Condition.Missing.Count == 0)
        {
            _different = refusals.Count == 0 ? null : string.Join(' ', refusals.Select(refusal => refusal.Message));
            _reporter.SayRefused(refusals);
        }
        else
        {
            _reporter.SayMended(before, Condition, _waitsUntil, refusals);
        }
    }

    private Task<TopologyPlan> FindMissingAsync(IConnection connection) =>
        TopologyLook.FindAsync(connection, _points.Keys.Aggregate(TopologyPlan.Ladder, (all, point) => all.Then(point)), CancellationToken.None);

    private static async Task<bool> HasLadderAsync(IConnection connection)
    {
        var last = TopologyPlan.Nothing with { Queues = [TopologyPlan.Ladder.Queues.Single(queue => queue.Name == BrokerNames.LostQueue)] };
        return (await TopologyLook.FindAsync(connection, last, CancellationToken.None).ConfigureAwait(false)).Queues.Count == 0;
    }
}
