namespace Retry.Messaging.Idempotency.Sqlite;

/// <summary>One who waits in the writer's line.</summary>
internal sealed class SqliteMember
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration _givingUp;
    private int _hasLeftLine;

    /// <summary>Makes one.</summary>
    /// <param name="write">Writes; it gets the connection and what ends with the commit of its group.</param>
    /// <param name="cancellationToken">Gives up waiting. What has begun is not given up.</param>
    public SqliteMember(Func<SqliteKeys, Task, Task> write, CancellationToken cancellationToken)
    {
        Write = write;
        _givingUp = cancellationToken.UnsafeRegister(
            (_, token) =>
            {
                if (LeavesLine())
                {
                    _done.TrySetCanceled(token);
                }
            },
            state: null);
    }

    public Func<SqliteKeys, Task, Task> Write { get; }

    /// <summary>Gets what ends after the commit, or when it was given up.</summary>
    public Task Done => _done.Task;

    /// <summary>Begins, unless nobody waits any more.</summary>
    public bool Begins()
    {
        _givingUp.Dispose();
        return LeavesLine();
    }

    /// <summary>Tells how the group ended.</summary>
    public void End(Exception? failure)
    {
        if (failure is null)
        {
            _done.TrySetResult();
            return;
        }

        _done.TrySetException(failure);
        _ = _done.Task.Exception; // who has a turn hears of it from the turn
    }

    private bool LeavesLine() => Interlocked.Exchange(ref _hasLeftLine, 1) == 0;
}
