using System.Data.Common;

namespace Retry.Messaging.Idempotency;

/// <summary>A transaction of the store's database, for the consumer's own writes. The library commits it, or rolls it back.</summary>
/// <remarks>EF Core: <c>UseSqlite(transaction.Connection)</c> or <c>UseNpgsql(transaction.Connection)</c>, then
/// <c>Database.UseTransaction(transaction.Transaction)</c>.</remarks>
public sealed class IdempotencyTransaction : IAsyncDisposable
{
    private int _isOver;

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

    /// <summary>Makes sure that nobody has ended it.</summary>
    /// <exception cref="InvalidOperationException">Somebody has.</exception>
    internal void RequireOpen()
    {
        if (Volatile.Read(ref _isOver) != 0)
        {
            throw new InvalidOperationException("Found the store's transaction disposed of before the consumer returned, wanted it open: the library ends it. Take 'using' away from what EnlistAsync gives.");
        }
    }

    /// <summary>Rolls back what has not been committed. The library does it; twice is once.</summary>
    public async ValueTask DisposeAsync()
    {
        // Npgsql gives the same object to the next transaction on its connection: disposed of twice, it would roll back another's
        if (Interlocked.Exchange(ref _isOver, 1) != 0)
        {
            return;
        }

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
