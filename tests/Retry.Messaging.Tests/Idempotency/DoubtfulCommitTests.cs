using Npgsql;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.PostgreSql;
using Retry.Messaging.Tests.Postgres;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>A commit that happened, and whose answer got lost on the wire, is found out; one that did not happen is an error.</summary>
public sealed class DoubtfulCommitTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly IdempotencyRequest Request = new(new IdempotencyKey("payments", "4711"), "hash", TimeSpan.FromMinutes(1));
    private static readonly IdempotencyResult Done = new(IsFailure: false, new byte[] { 1 });

    [PostgresTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_commit_that_was_reported_as_an_error_counts_because_it_happened(bool isDone)
    {
        await using var database = await PostgreSqlUnderTest.CreateAsync(postgres);
        await using var wire = new AnswerlessWire(postgres.Server.Port);
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Port = wire.Port }.ConnectionString);
        var store = new PostgreSqlIdempotencyStore(source, TimeSpan.FromDays(7));
        var lease = (await store.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.Run>().Lease;
        var transaction = await store.BeginAsync(default);
        await database.WriteOwnAsync(transaction);
        wire.Swallow(1);

        (await store.EndAsync(lease, isDone ? Done : null, transaction, default)).ShouldBeTrue();

        wire.Swallowed.ShouldBe(1);
        (await database.CountOwnAsync()).ShouldBe(1);
        var next = await store.AcquireAsync(Request, default);
        (next is IdempotencyVerdict.Ended).ShouldBe(isDone);
    }

    [PostgresFact]
    public async Task A_commit_that_did_not_happen_is_an_error()
    {
        await using var database = await PostgreSqlUnderTest.CreateAsync(postgres);
        var store = database.OpenStore(null);
        await PostgresServer.ExecuteAsync(
            database.ConnectionString,
            "CREATE TABLE ledger (id INT PRIMARY KEY); CREATE TABLE entries (id INT REFERENCES ledger DEFERRABLE INITIALLY DEFERRED)");
        var lease = (await store.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.Run>().Lease;
        var transaction = await store.BeginAsync(default);
        await database.WriteOwnAsync(transaction);
        await using (var insert = transaction.Connection.CreateCommand())
        {
            // the database says no to it no earlier than at the commit
            insert.Transaction = transaction.Transaction;
            insert.CommandText = "INSERT INTO entries VALUES (1)";
            await insert.ExecuteNonQueryAsync();
        }

        (await Should.ThrowAsync<PostgresException>(() => store.EndAsync(lease, Done, transaction, default))).SqlState.ShouldBe(PostgresErrorCodes.ForeignKeyViolation);

        (await database.CountOwnAsync()).ShouldBe(0);
        (await store.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.InProgress>();
    }
}
