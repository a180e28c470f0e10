using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.PostgreSql;
using Retry.Messaging.Idempotency.Testing;
using Retry.Messaging.Tests.Postgres;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Idempotency;

public sealed class PostgreSqlIdempotencyStoreTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private static readonly IdempotencyRequest Request = new(new IdempotencyKey("payments", "4711"), "hash", TimeSpan.FromMinutes(1));

    public static TheoryData<string> Rules => [.. StoreRules.Names];

    [PostgresTheory]
    [MemberData(nameof(Rules))]
    public async Task It_keeps_the_rule(string rule)
    {
        await using var store = await PostgreSqlUnderTest.CreateAsync(postgres);

        await StoreRules.CheckAsync(rule, store);
    }

    [Fact]
    public void What_names_no_host_is_refused() =>
        Should.Throw<ArgumentException>(() => new ServiceCollection().AddPostgreSqlIdempotency("Database=shop")).Message.ShouldContain("wanted one");

    [PostgresFact]
    public async Task Of_many_that_begin_on_an_empty_database_each_finds_its_table()
    {
        await using var store = await PostgreSqlUnderTest.CreateAsync(postgres);

        var verdicts = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => store.Open(null).AcquireAsync(Request, default))));

        verdicts.OfType<IdempotencyVerdict.Run>().ShouldHaveSingleItem();
    }

    [PostgresFact]
    public async Task A_process_whose_clock_is_wrong_takes_no_lease_over()
    {
        await using var store = await PostgreSqlUnderTest.CreateAsync(postgres);
        await using var first = ServiceWithClock(DateTimeOffset.UnixEpoch, store.ConnectionString);
        await using var second = ServiceWithClock(DateTimeOffset.UnixEpoch.AddYears(100), store.ConnectionString);
        await first.GetRequiredService<IIdempotencyStore>().AcquireAsync(Request, default);

        var verdict = await second.GetRequiredService<IIdempotencyStore>().AcquireAsync(Request, default);

        verdict.ShouldBeOfType<IdempotencyVerdict.InProgress>().Rest.ShouldBeInRange(TimeSpan.FromSeconds(1), Request.Lease);
    }

    [PostgresFact]
    public async Task A_user_who_may_not_make_the_table_is_told_what_an_administrator_has_to_run_and_then_it_works()
    {
        await using var store = await PostgreSqlUnderTest.CreateAsync(postgres);
        await PostgresServer.ExecuteAsync(store.ConnectionString, "CREATE ROLE clerk LOGIN PASSWORD 'x'; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
        await using var clerk = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(store.ConnectionString) { Username = "clerk", Password = "x" }.ConnectionString);
        var asClerk = new PostgreSqlIdempotencyStore(clerk, TimeSpan.FromDays(7));

        var error = await Should.ThrowAsync<InvalidOperationException>(() => asClerk.AcquireAsync(Request, default));

        error.Message.ShouldStartWith("Found no table retry_once in the database 'shop");
        error.Message.ShouldContain("the user 'clerk' may not make it");
        error.Message.ShouldContain("retryctl once schema");
        await PostgresServer.ExecuteAsync(
            store.ConnectionString,
            $"{PostgreSqlSchema.Sql}; GRANT SELECT, INSERT, UPDATE, DELETE ON retry_once TO clerk; GRANT USAGE ON retry_once_token TO clerk");
        (await asClerk.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.Run>();
        (await asClerk.PruneAsync(500, default)).ShouldBe(0);
    }

    [PostgresFact]
    public async Task A_database_that_is_down_is_an_error_and_no_new_key()
    {
        await using var server = await PostgresServer.StartAsync();
        var database = await server.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        var store = new PostgreSqlIdempotencyStore(source, TimeSpan.FromDays(7));
        var lease = (await store.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.Run>().Lease;
        await store.EndAsync(lease, new IdempotencyResult(false, default), null, default);
        await server.KillAsync();

        // a server process that has not noticed yet that its parent is dead still answers
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    (await store.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.Ended>();
                    return false;
                }
                catch (NpgsqlException)
                {
                    return true;
                }
            },
            TimeSpan.FromSeconds(20));
        await server.StartAgainAsync();

        (await store.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.Ended>();
    }

    private static ServiceProvider ServiceWithClock(DateTimeOffset now, string connectionString) => new ServiceCollection()
        .AddSingleton<TimeProvider>(new FakeTimeProvider(now))
        .AddPostgreSqlIdempotency(connectionString)
        .BuildServiceProvider();
}
