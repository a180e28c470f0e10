using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Retry.Messaging.Idempotency.Sqlite;

/// <summary>The one that writes to the file. What waits together is written in one transaction: its commit waits for the disk once.</summary>
/// <remarks>
/// SQLite has one writer at a time. Those of one process wait in line here, where waiting blocks no thread. While a commit waits for the
/// disk the line grows, and the next group takes all of it: nobody waits for a group to fill. A member has its answer only after the
/// commit. If that fails, all of the group fails, and nothing of it is in the file.
/// </remarks>
internal sealed class SqliteWriter : IDisposable, IAsyncDisposable
{
    /// <summary>How many are written in one transaction at most.</summary>
    public const int Most = 512;

    // other processes wait for the lock meanwhile
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(20);

    private readonly Channel<SqliteMember> _line = Channel.CreateUnbounded<SqliteMember>(new UnboundedChannelOptions { SingleReader = true });
    private readonly string _connectionString;
    private readonly TimeProvider _time;
    private readonly Lazy<Task> _writing;

    private SqliteKeys? _keys;

    public SqliteWriter(string connectionString, TimeProvider time)
    {
        _connectionString = connectionString;
        _time = time;
        _writing = new Lazy<Task>(() => Task.Run(WriteAsync));
    }

    /// <summary>Writes in its turn, and returns after the commit.</summary>
    public async Task<T> RunAsync<T>(Func<SqliteKeys, T> write, CancellationToken cancellationToken)
    {
        var result = default(T)!;
        await EnterAsync(
            (keys, _) =>
            {
                result = write(keys);
                return Task.CompletedTask;
            },
            cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Waits for a turn in which a consumer writes.</summary>
    public async Task<SqliteTurn> BeginAsync(CancellationToken cancellationToken)
    {
        var begun = new TaskCompletionSource<SqliteTurn>(TaskCreationOptions.RunContinuationsAsynchronously);
        var done = EnterAsync(
            (keys, committed) =>
            {
                var turn = new SqliteTurn(keys, committed);
                begun.SetResult(turn);
                return turn.Ended;
            },
            cancellationToken);
        if (await Task.WhenAny(begun.Task, done).ConfigureAwait(false) == done)
        {
            // before it began: given up, or the file could not be opened
            await done.ConfigureAwait(false);
        }

        return await begun.Task.ConfigureAwait(false);
    }

    /// <summary>Takes nobody more. Those in line are written, and the file is closed after them.</summary>
    public void Dispose() => _line.Writer.TryComplete();

    /// <summary>The same, and waits for it.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        if (_writing.IsValueCreated)
        {
            await _writing.Value.ConfigureAwait(false);
        }
    }

    private Task EnterAsync(Func<SqliteKeys, Task, Task> write, CancellationToken cancellationToken)
    {
        _ = _writing.Value;
        var member = new SqliteMember(write, cancellationToken);
        return _line.Writer.TryWrite(member) ? member.Done : throw new ObjectDisposedException(nameof(SqliteWriter));
    }

    private async Task WriteAsync()
    {
        while (await _line.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            await WriteGroupAsync().ConfigureAwait(false);
        }

        Abandon();
    }

    private async Task WriteGroupAsync()
    {
        var group = new List<SqliteMember>();
        var committed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var failure = default(Exception);
        try
        {
            await WriteAsync(Begin(), group, committed.Task).ConfigureAwait(false);
            Commit();
            committed.SetResult();
        }
#pragma warning disable CA1031 // whatever it is: nothing has been committed, and all who wait have to know
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
            Abandon();
            committed.SetException(exception);
            _ = committed.Task.Exception;
        }

        foreach (var member in group)
        {
            member.End(failure);
        }
    }

    private SqliteKeys Begin()
    {
        try
        {
            _keys ??= SqliteKeys.Open(_connectionString);

            // immediate: what only reads at first could not write later, when another process has written in between
            _keys.Transaction = _keys.Connection.BeginTransaction(deferred: false);
            return _keys;
        }
        catch (Exception exception)
        {
            // a file that cannot be opened, or is locked for long, is the answer to all who wait, not to one after the other
            while (_line.Reader.TryRead(out var member))
            {
                if (member.Begins())
                {
                    member.End(exception);
                }
            }

            throw;
        }
    }

    private async Task WriteAsync(SqliteKeys keys, List<SqliteMember> group, Task committed)
    {
        var began = _time.GetTimestamp();
        while (group.Count < Most && _time.GetElapsedTime(began) < Longest && _line.Reader.TryRead(out var member))
        {
            if (member.Begins())
            {
                group.Add(member);
                await member.Write(keys, committed).ConfigureAwait(false);
            }
        }
    }

    private void Commit()
    {
        _keys!.Transaction!.Commit();
        _keys.Transaction.Dispose();
        _keys.Transaction = null;
    }

    private void Abandon()
    {
        try
        {
            _keys?.Dispose();
        }
        catch (SqliteException)
        {
            // it has been rolled back already
        }

        _keys = null;
    }
}
