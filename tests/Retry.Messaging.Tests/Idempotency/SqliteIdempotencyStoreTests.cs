using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.Sqlite;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Idempotency;

public sealed class SqliteIdempotencyStoreTests : IdempotencyStoreTests, IDisposable
{
    private readonly SqliteFile _file = new();

    [Theory]
    [InlineData("Data Source=:memory:")]
    [InlineData("Data Source=x;Mode=Memory")]
    [InlineData("Mode=ReadWrite")]
    public void What_is_no_file_is_refused(string connectionString) =>
        Should.Throw<ArgumentException>(() => new ServiceCollection().AddSqliteIdempotency(connectionString)).Message.ShouldContain("wanted a file");

    [Fact]
    public async Task A_file_that_cannot_be_opened_is_an_error_and_no_new_key()
    {
        using var store = new SqliteIdempotencyStore("Data Source=/nowhere/once.db", TimeSpan.FromDays(7), Time);

        await Should.ThrowAsync<SqliteException>(() => store.AcquireAsync(new IdempotencyRequest(new IdempotencyKey("c", "k"), "h", TimeSpan.FromMinutes(1)), default));
        await Should.ThrowAsync<SqliteException>(() => store.BeginAsync(default)); // and nobody waits for its turn
    }

    public void Dispose() => _file.Dispose();

    protected override IIdempotencyStore Open() => new SqliteIdempotencyStore(_file.ConnectionString, TimeSpan.FromDays(7), Time);

    protected override Task WriteOwnAsync(IdempotencyTransaction transaction) => SqliteFile.WriteAsync(transaction, "charged");

    protected override Task<int> CountOwnAsync() => Task.FromResult(_file.Count());
}
