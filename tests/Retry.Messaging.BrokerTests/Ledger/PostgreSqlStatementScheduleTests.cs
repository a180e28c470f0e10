using Retry.Messaging.Tests.Postgres;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>The same with PostgreSQL, where the connection itself tells the statements: BEGIN, COMMIT and what Npgsql sends by itself as well.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class PostgreSqlStatementScheduleTests(BrokerFixture broker, PostgresFixture postgres, ITestOutputHelper output) : IClassFixture<PostgresFixture>
{
    [PostgresFact]
    [Trait("Category", "Long")]
    public Task Killed_before_each_statement_and_send_books_and_broker_agree_and_money_adds_up() => RunAsync(schedule => schedule.KillAsync(StatementSchedule.All));

    [PostgresFact]
    [Trait("Category", "Long")]
    public Task Asleep_before_each_statement_and_send_longer_than_its_lease_books_and_broker_agree_and_money_adds_up() =>
        RunAsync(schedule => schedule.SleepAsync(StatementSchedule.All));

    private async Task RunAsync(Func<StatementSchedule, Task> run) =>
        await StatementSchedule.RunAsync(broker, Books.PostgreSql, await postgres.CreateDatabaseAsync(), output, run);
}
