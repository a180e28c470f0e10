using System.Collections.Concurrent;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>The documents by which operators control a cluster: a stream that all read in one order.</summary>
/// <remarks>
/// <list type="number">
/// <item>Opening reads to the end that the log has at that moment. It writes nothing, and declares nothing unless asked to.</item>
/// <item>Afterwards each record that counts is told, in order, one at a time (<see cref="ControlDocuments"/> decides which count).</item>
/// <item>A writer appends the version after the one that it has read. It knows whether it was first when it reads its own record.</item>
/// <item>Before it appends, a writer repeats the living documents that lie so far back that retention could reach them. So the
/// stream is bounded, and all that lives is always in it. An idle broker loses nothing, because retention counts bytes.</item>
/// </list>
/// </remarks>
internal sealed class ControlLog : IAsyncDisposable
{
    /// <summary>The largest document, in bytes.</summary>
    public const int LargestDocument = 64 * 1024;

    /// <summary>What all living documents may take, in bytes.</summary>
    public const long LivingBytes = 2 * Megabyte;

    /// <summary>How many bytes may be written after a document before it is repeated.</summary>
    public const long RepeatAfter = 3 * Megabyte;

    private const long Megabyte = 1 << 20;

    /// <summary>What the stream keeps: at least 7 MB. Between a repeat that is due and the loss of its document lie 4 MB.</summary>
    public static readonly StreamRetention Retention = new(MaxBytes: 8 * Megabyte, SegmentBytes: Megabyte);

    private readonly IRecordStream _stream;
    private readonly Action<ControlRecord> _changed;
    private readonly Lock _lock = new();
    private readonly ControlDocuments _documents = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<bool>> _own = new(StringComparer.Ordinal);
    private readonly HashSet<string> _repeating = new(StringComparer.Ordinal);
    private readonly StreamPosition _position = new();
    private readonly Action _failing;

    private ControlLog(IRecordStream stream, Action<ControlRecord> changed, Action failing)
    {
        _stream = stream;
        _changed = changed;
        _failing = failing;
    }

    /// <summary>Gets why the log can no longer be followed, or <see langword="null"/> while it can.</summary>
    public string? Failure => _position.Failure;

    /// <summary>Gets a value indicating whether the stream was there when the log was opened.</summary>
    public bool IsThere { get; private set; }

    /// <summary>Opens the log and reads to its end.</summary>
    /// <param name="stream">The stream; the log owns it from now on.</param>
    /// <param name="declare">Whether a stream that is not there is declared; a reader leaves that to writers.</param>
    /// <param name="changed">Told each record that counts, in order, also those that are read while opening.</param>
    /// <param name="failed">Called once when the log can no longer be followed; <see cref="Failure"/> tells why.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ControlException">The log cannot be read. That is never the same as "nothing is set".</exception>
    public static async Task<ControlLog> OpenAsync(
        IRecordStream stream,
        bool declare,
        Action<ControlRecord> changed,
        Action failed,
        CancellationToken cancellationToken)
    {
        var log = new ControlLog(stream, changed, failed);
        try
        {
            log.IsThere = await stream.FollowAsync(log.Read, log.Fail, cancellationToken).ConfigureAwait(false);
            if (!log.IsThere && declare)
            {
                await stream.DeclareAsync(cancellationToken).ConfigureAwait(false);
                log.IsThere = await stream.FollowAsync(log.Read, log.Fail, cancellationToken).ConfigureAwait(false);
            }

            if (log.IsThere)
            {
                await log.CatchUpAsync(cancellationToken).ConfigureAwait(false);
            }

            return log;
        }
        catch
        {
            await log.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Waits until all that was written by now is read. One at a time.</summary>
    /// <exception cref="ControlException">The log can no longer be followed.</exception>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        if (await _stream.FindEndAsync(cancellationToken).ConfigureAwait(false) is { } end)
        {
            await _position.ReachedAsync(end, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The document that lives, or <see langword="null"/> when there has never been one.</summary>
    public ControlRecord? Find(string kind, string key)
    {
        lock (_lock)
        {
            return _documents.Find(kind, key);
        }
    }

    /// <summary>All living documents of a kind.</summary>
    public IReadOnlyList<ControlRecord> OfKind(string kind)
    {
        lock (_lock)
        {
            return _documents.OfKind(kind);
        }
    }

    /// <summary>Appends a document, and waits until all that stands before it, and it, are read.</summary>
    /// <param name="record">The document, with the version after the one that was read.</param>
    /// <param name="cancellationToken">Gives up; the record may have been written then.</param>
    /// <returns>Whether it counts. It does not when another writer used the same version first.</returns>
    /// <exception cref="ControlException">The log cannot be written, or the document does not fit.</exception>
    public async Task<bool> AppendAsync(ControlRecord record, CancellationToken cancellationToken)
    {
        if (Failure is { } failure)
        {
            throw new ControlException(failure);
        }

        await RepeatAsync(record, cancellationToken).ConfigureAwait(false);
        var read = _own[record.Id] = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _stream.AppendAsync(ControlRecordFormat.Write(record), record.Body, cancellationToken).ConfigureAwait(false);
            await Task.WhenAny(read.Task, _position.Failed).WaitAsync(cancellationToken).ConfigureAwait(false);
            return read.Task.IsCompletedSuccessfully ? await read.Task.ConfigureAwait(false) : throw new ControlException(Failure!);
        }
        finally
        {
            _own.TryRemove(record.Id, out _);
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task RepeatAsync(ControlRecord next, CancellationToken cancellationToken)
    {
        IReadOnlyList<ControlRecord> due;
        lock (_lock)
        {
            var before = _documents.Find(next.Kind, next.Key) is { } replaced ? ControlDocuments.SizeOf(replaced) : 0;
            var size = _documents.Size - before + ControlDocuments.SizeOf(next);
            if (next.Body.Length > LargestDocument || size > LivingBytes)
            {
                throw new ControlException(
                    $"The document '{next.Kind}' of '{next.Key}' does not fit into '{_stream.Name}': found {next.Body.Length} bytes, and {size} with all other documents; wanted {LargestDocument} and {LivingBytes} at most. Make it smaller, or use another virtual host.");
            }

            // what is on its way already has been repeated by an append beside this one
            due = [.. _documents.OlderThan(RepeatAfter).Where(record => _repeating.Add(record.Id))];
        }

        try
        {
            foreach (var record in due)
            {
                // word for word, with the same id: a reader that knows the document passes over it
                var repeat = record with { IsRepeat = true };
                await _stream.AppendAsync(ControlRecordFormat.Write(repeat), repeat.Body, cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            lock (_lock)
            {
                _repeating.ExceptWith(due.Select(record => record.Id));
            }

            throw;
        }
    }

    private void Read(StreamRecord item)
    {
        var record = ControlRecordFormat.Read(item.Properties, item.Body);
        bool counts;
        lock (_lock)
        {
            counts = record is not null && _documents.Apply(record);
            if (record is { IsRepeat: true })
            {
                _repeating.Remove(record.Id);
            }
        }

        if (counts)
        {
            _changed(record!);
        }

        if (record is not null && _own.TryGetValue(record.Id, out var waiter))
        {
            waiter.TrySetResult(counts);
        }

        _position.At(item.Offset);
    }

    private void Fail(string reason)
    {
        _position.Fail(reason);
        _failing();
    }
}
