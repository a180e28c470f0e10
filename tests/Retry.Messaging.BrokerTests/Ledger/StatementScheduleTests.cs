using Retry.Messaging.Tests.Idempotency;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>
/// A schedule stops a process before each statement that it would run: SQLite's own trace tells them, so none of the store's, of the
/// consumer's and of the transactions is left out. So it does before and after each send.
/// </summary>
[Collection(ScheduleBroker.Name)]
public sealed class StatementScheduleTests(BrokerFixture broker, ITestOutputHelper output) : IDisposable
{
    private readonly SqliteFile _file = new();

    public void Dispose() => _file.Dispose();

    /// <summary>The consumer's writes, the mark and their commit.</summary>
    [Fact]
    public Task Killed_around_the_commit_books_and_broker_agree_and_money_adds_up() => RunAsync(schedule => schedule.KillAsync(Enumerable.Range(6, 6)));

    [Fact]
    [Trait("Category", "Long")]
    public Task Killed_before_each_statement_and_send_books_and_broker_agree_and_money_adds_up() => RunAsync(schedule => schedule.KillAsync(StatementSchedule.All));

    [Fact]
    [Trait("Category", "Long")]
    public Task Asleep_before_each_statement_and_send_longer_than_its_lease_books_and_broker_agree_and_money_adds_up() =>
        RunAsync(schedule => schedule.SleepAsync(StatementSchedule.All));

    private Task RunAsync(Func<StatementSchedule, Task> run) => StatementSchedule.RunAsync(broker, Books.Sqlite, _file.ConnectionString, output, run);
}
