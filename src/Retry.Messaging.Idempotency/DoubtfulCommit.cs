using System.Data.Common;

namespace Retry.Messaging.Idempotency;

/// <summary>A commit that is reported as an error may have happened all the same: its answer got lost on the way.</summary>
internal static class DoubtfulCommit
{
    /// <summary>Ends a lease and commits. If that is reported as an error, it looks whether it happened.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="result">How it ends, or <see langword="null"/>.</param>
    /// <param name="end">Ends it and commits; false if it was taken over.</param>
    /// <param name="read">Reads its key, on another connection.</param>
    /// <exception cref="DbException">It did not happen, or nobody can be asked.</exception>
    public static async Task<bool> EndAsync(IdempotencyLease lease, IdempotencyResult? result, Func<Task<bool>> end, Func<Task<KeyRow?>> read)
    {
        try
        {
            return await end().ConfigureAwait(false);
        }
        catch (DbException)
        {
            if (!await HasEndedAsync(lease, result, read).ConfigureAwait(false))
            {
                throw;
            }

            return true;
        }
    }

    private static async Task<bool> HasEndedAsync(IdempotencyLease lease, IdempotencyResult? result, Func<Task<KeyRow?>> read)
    {
        try
        {
            // a key that was let go of has no row
            return await read().ConfigureAwait(false) is { } row ? row.Result is not null && row.Token == lease.Token : result is null;
        }
        catch (DbException)
        {
            // what was reported first is what the user has to read
            return false;
        }
    }
}
