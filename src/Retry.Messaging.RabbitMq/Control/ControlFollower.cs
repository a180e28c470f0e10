using System.Collections.Concurrent;
using RabbitMQ.Client;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>Follows the control log, and has the points of the process apply the documents that are for them.</summary>
/// <remarks>
/// What was read holds while the log cannot be read, and is written again should the log have been deleted and made anew.
/// </remarks>
/// <param name="kinds">The kinds of documents.</param>
/// <param name="time">The clock.</param>
internal sealed class ControlFollower(IReadOnlyCollection<string> kinds, TimeProvider time) : IControlPart
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Kind, string Key), ControlRecord> _known = [];
    private readonly ConcurrentDictionary<IControlTarget, bool> _targets = new();
    private readonly TaskCompletionSource _read = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ControlLog? _log;

    /// <inheritdoc/>
    public string Name => "what operators set";

    /// <summary>Gets what completes when the log has been read for the first time, or the broker has refused it.</summary>
    public Task Read => _read.Task;

    /// <summary>A point begins: what is set for it holds at once, as far as it is known.</summary>
    public void Add(IControlTarget target)
    {
        lock (_lock)
        {
            if (_targets.TryAdd(target, true) && _known.TryGetValue((target.Kind, target.Queue), out var record))
            {
                target.Apply(record);
            }
        }
    }

    /// <summary>A point ends.</summary>
    public void Remove(IControlTarget target) => _targets.TryRemove(target, out _);

    /// <summary>Writes a document.</summary>
    /// <returns>Whether it counts: another may have written the same version before.</returns>
    /// <exception cref="ControlException">The log cannot be written.</exception>
    public async Task<bool> WriteAsync(ControlRecord record, CancellationToken cancellationToken) => _log is { } log
        ? await log.AppendAsync(record, cancellationToken).ConfigureAwait(false)
        : throw new ControlException($"Stream '{BrokerNames.ControlStream}' cannot be written, because it is not being read.");

    /// <inheritdoc/>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await FollowAsync(connection, cancellationToken).ConfigureAwait(false);
        }
        catch (ControlException)
        {
            // it is said, and waiting longer would not help
            _read.TrySetResult();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task EndAsync(IConnection connection, CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task FollowAsync(IConnection connection, CancellationToken cancellationToken)
    {
        if (!_read.Task.IsCompleted && !await LookAsync(connection, cancellationToken).ConfigureAwait(false))
        {
            // where there is no log nothing is set, and nobody waits until there is one
            _read.TrySetResult();
        }

        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stream = new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, time);
        var log = await ControlLog.OpenAsync(stream, declare: true, Changed, () => failed.TrySetResult(), cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        await RestoreAsync(log, cancellationToken).ConfigureAwait(false);
        _read.TrySetResult();
        _log = log;
        try
        {
            await failed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _log = null;
        }

        throw new ControlException(log.Failure!);
    }

    private static async Task<bool> LookAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var look = new Connections.PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        return await look.FindQueueAsync(BrokerNames.ControlStream, cancellationToken).ConfigureAwait(false) is not null;
    }

    private void Changed(ControlRecord record)
    {
        if (!kinds.Contains(record.Kind))
        {
            return;
        }

        lock (_lock)
        {
            // a log that was made anew begins with less than is known
            if (_known.TryGetValue((record.Kind, record.Key), out var known) && (known.Version > record.Version || known.Id == record.Id))
            {
                return;
            }

            _known[(record.Kind, record.Key)] = record;
            foreach (var target in _targets.Keys.Where(target => target.Queue == record.Key && target.Kind == record.Kind))
            {
                target.Apply(record);
            }
        }
    }

    // several instances do so at once: the first record counts, and says the same
    private async Task RestoreAsync(ControlLog log, CancellationToken cancellationToken)
    {
        List<ControlRecord> lost;
        lock (_lock)
        {
            lost = [.. _known.Values.Where(known => (log.Find(known.Kind, known.Key)?.Version ?? 0) < known.Version)];
        }

        foreach (var record in lost)
        {
            await log.AppendAsync(record with { IsRepeat = false }, cancellationToken).ConfigureAwait(false);
        }
    }
}
