using System.Data.Common;

namespace Retry.Messaging.Idempotency;

/// <summary>A transaction of the store's database, for the consumer's own writes. The library commits it, or rolls it back.</summary>
/// <remarks>EF Core: <c>UseSqlite(transaction.Connection)</c> or <c>UseNpgsql(transaction.Connection)</c>, then
/// <c>Database.UseTransaction(transaction.Transaction)</c>.</remarks>
public sealed class IdempotencyTransaction : IAsyncDisposable
{
    /// <summary>Makes one, for a store.</summary>
    /// <param name="connection">The open connection.</param>
    /// <param name="transaction">The transaction on it.</param>
    /// <param name="owner">Disposed of with this; <see langword="null"/> has the transaction and the connection disposed of.</param>
    public IdempotencyTransaction(DbConnection connection, DbTransaction transaction, IAsyncDisposable? owner = null)
    {
        Connection = connection;
        Transaction = transaction;
        Owner = owner;
    }

    /// <summary>Gets the connection. Do not close it.</summary>
    public DbConnection Connection { get; }

    /// <summary>Gets the transaction. Do not commit it, nor roll it back: throw, and it is undone.</summary>
    public DbTransaction Transaction { get; }

    /// <summary>Gets what the store keeps of it.</summary>
    internal IAsyncDisposable? Owner { get; }

    /// <summary>Rolls back what has not been committed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Owner is not null)
        {
            await Owner.DisposeAsync().ConfigureAwait(false);
            return;
        }

        try
        {
            await Transaction.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            await Connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
