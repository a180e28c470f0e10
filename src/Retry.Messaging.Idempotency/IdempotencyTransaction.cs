using System.Data.Common;

namespace Retry.Messaging.Idempotency;

/// <summary>A transaction of the store's database, for the consumer's own writes. The library commits it, or rolls it back.</summary>
/// <remarks>EF Core: <c>UseSqlite(transaction.Connection)</c>, then <c>Database.UseTransaction(transaction.Transaction)</c>.</remarks>
public sealed class IdempotencyTransaction : IAsyncDisposable
{
    private IDisposable? _onDispose;

    /// <summary>Makes one, for a store.</summary>
    /// <param name="connection">The open connection. It is disposed of with the transaction.</param>
    /// <param name="transaction">The transaction on it.</param>
    /// <param name="onDispose">Disposed of after both; or <see langword="null"/>.</param>
    public IdempotencyTransaction(DbConnection connection, DbTransaction transaction, IDisposable? onDispose = null)
    {
        Connection = connection;
        Transaction = transaction;
        _onDispose = onDispose;
    }

    /// <summary>Gets the connection. Do not close it.</summary>
    public DbConnection Connection { get; }

    /// <summary>Gets the transaction. Do not commit it, nor roll it back: throw, and it is undone.</summary>
    public DbTransaction Transaction { get; }

    /// <summary>Rolls back what has not been committed.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Transaction.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            await Connection.DisposeAsync().ConfigureAwait(false);
            Interlocked.Exchange(ref _onDispose, null)?.Dispose();
        }
    }
}
