using Microsoft.Data.Sqlite;

namespace Retry.Messaging.Idempotency.Sqlite;

/// <summary>A consumer's turn in a group: what it writes stands behind a savepoint, so that it alone can be undone.</summary>
internal sealed class SqliteTurn : IAsyncDisposable
{
    private const string Savepoint = "retry_once";

    private readonly SqliteTransaction _transaction;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _committed;

    /// <summary>Begins it.</summary>
    /// <param name="keys">The connection, in the group's transaction.</param>
    /// <param name="committed">Ends with the group's commit.</param>
    public SqliteTurn(SqliteKeys keys, Task committed)
    {
        Keys = keys;
        _transaction = keys.Transaction!;
        _committed = committed;
        _transaction.Save(Savepoint);
    }

    public SqliteKeys Keys { get; }

    /// <summary>Gets what ends with the turn; it fails if the turn could not be undone, and all of the group has to be.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Keeps what was written, lets the next one have its turn, and waits for the commit of the group.</summary>
    public Task KeepAsync()
    {
        End(() => _transaction.Release(Savepoint));
        return _committed;
    }

    /// <summary>Undoes what was written, unless it was kept.</summary>
    public ValueTask DisposeAsync()
    {
        End(() =>
        {
            _transaction.Rollback(Savepoint);
            _transaction.Release(Savepoint);
        });
        return ValueTask.CompletedTask;
    }

    // the next turn begins as soon as this one has ended: nothing of ours may touch the connection after that
    private void End(Action how)
    {
        if (Ended.IsCompleted)
        {
            return;
        }

        try
        {
            how();
            _ended.SetResult();
        }
        catch (Exception exception)
        {
            _ended.SetException(exception);
            throw;
        }
    }
}
