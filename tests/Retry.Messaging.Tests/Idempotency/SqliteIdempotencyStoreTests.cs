using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.Sqlite;
using Retry.Messaging.Idempotency.Testing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Idempotency;

public sealed class SqliteIdempotencyStoreTests : IDisposable
{
    private static readonly IdempotencyRequest Request = new(new IdempotencyKey("payments", "4711"), "hash", TimeSpan.FromMinutes(1));

    private readonly SqliteUnderTest _store = new();

    public static TheoryData<string> Rules => [.. StoreRules.Names];

    [Theory]
    [MemberData(nameof(Rules))]
    public Task It_keeps_the_rule(string rule) => StoreRules.CheckAsync(rule, _store);

    [Theory]
    [InlineData("Data Source=:memory:")]
    [InlineData("Data Source=x;Mode=Memory")]
    [InlineData("Mode=ReadWrite")]
    public void What_is_no_file_is_refused(string connectionString) =>
        Should.Throw<ArgumentException>(() => new ServiceCollection().AddSqliteIdempotency(connectionString)).Message.ShouldContain("wanted a file");

    [Fact]
    public void A_retention_of_nothing_is_refused() =>
        Should.Throw<ArgumentException>(() => new ServiceCollection().AddSqliteIdempotency("Data Source=x", store => store.Retention = TimeSpan.Zero))
            .Message.ShouldContain("wanted more than zero");

    [Fact]
    public async Task A_file_that_cannot_be_opened_is_an_error_and_no_new_key()
    {
        using var store = new SqliteIdempotencyStore("Data Source=/nowhere/once.db", TimeSpan.FromDays(7), TimeProvider.System);

        await Should.ThrowAsync<SqliteException>(() => store.AcquireAsync(Request, default));
        await Should.ThrowAsync<SqliteException>(() => store.BeginAsync(default)); // and nobody waits for its turn
    }

    public void Dispose() => _store.Dispose();
}
