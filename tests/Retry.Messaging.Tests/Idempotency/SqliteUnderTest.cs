using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.Sqlite;
using Retry.Messaging.Idempotency.Testing;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>The store in SQLite, on a file of its own.</summary>
internal sealed class SqliteUnderTest : IStoreUnderTest, IDisposable
{
    private readonly List<SqliteIdempotencyStore> _opened = [];
    private readonly SqliteFile _file = new();

    public string ConnectionString => _file.ConnectionString;

    public IIdempotencyStore Open(TimeProvider time) => OpenStore(time);

    public SqliteIdempotencyStore OpenStore(TimeProvider time)
    {
        var store = new SqliteIdempotencyStore(_file.ConnectionString, TimeSpan.FromDays(7), time);
        lock (_opened)
        {
            _opened.Add(store);
        }

        return store;
    }

    public Task WriteOwnAsync(IdempotencyTransaction transaction) => SqliteFile.WriteAsync(transaction, "charged");

    public Task<int> CountOwnAsync() => Task.FromResult(_file.Count());

    public void Dispose()
    {
        _opened.ForEach(store => store.Dispose());
        _file.Dispose();
    }
}
