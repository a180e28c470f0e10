using System.Diagnostics;
using System.Runtime.Versioning;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Idempotency;
using Retry.Messaging.Tests.Postgres;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>
/// Charges that are delivered one to five times, in random order, to four processes that are killed and stopped at random. The books are
/// counted by SQL, the answers by a raw client.
/// </summary>
[Collection(ScheduleBroker.Name)]
[SupportedOSPlatform("linux")]
public sealed class LedgerTests(BrokerFixture broker, PostgresFixture postgres, ITestOutputHelper output) : IClassFixture<PostgresFixture>
{
    private const int Processes = 4;

    // four processes at once, on a machine that has other things to do
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(3);

    // a consumer that is not enlisted is nowhere fenced: no process sleeps as long as its lease
    private static readonly Troubles Enlisted = new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(6));
    private static readonly Troubles Alone = new(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(3));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Some_hundred_charges_are_entered_once_and_all_duplicates_answered_equally(bool enlisted)
    {
        using var file = new SqliteFile();
        await BalanceAsync(await Books.CreateAsync(Books.Sqlite, file.ConnectionString), file.ConnectionString, enlisted, failing: true, charges: 300, TimeSpan.FromMinutes(4));
    }

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task With_SQLite_20000_charges_are_entered_once_and_all_duplicates_answered_equally(bool enlisted, bool failing)
    {
        using var file = new SqliteFile();
        await BalanceAsync(await Books.CreateAsync(Books.Sqlite, file.ConnectionString), file.ConnectionString, enlisted, failing, charges: 20_000, TimeSpan.FromMinutes(40));
    }

    [PostgresTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task With_PostgreSQL_some_hundred_charges_are_entered_once_and_all_duplicates_answered_equally(bool enlisted)
    {
        var database = await postgres.CreateDatabaseAsync();
        await BalanceAsync(await Books.CreateAsync(Books.PostgreSql, database), database, enlisted, failing: true, charges: 300, TimeSpan.FromMinutes(4));
    }

    [PostgresTheory]
    [Trait("Category", "Long")]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task With_PostgreSQL_20000_charges_are_entered_once_and_all_duplicates_answered_equally(bool enlisted, bool failing)
    {
        var database = await postgres.CreateDatabaseAsync();
        await BalanceAsync(await Books.CreateAsync(Books.PostgreSql, database), database, enlisted, failing, charges: 20_000, TimeSpan.FromMinutes(40));
    }

    private async Task BalanceAsync(Books books, string connectionString, bool enlisted, bool failing, int charges, TimeSpan deadline)
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var deliveries = LedgerDelivery.Draw(charges, failing, random);
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var answers = await LedgerAnswers.CollectAsync(raw);
        var troubles = enlisted ? Enlisted : Alone;
        var environment = LedgerConsumer.Environment(uri, books.Database, connectionString, new LedgerConsumer.Mode(enlisted, troubles.Lease));
        var clock = new Stopwatch();
        var parked = LedgerConsumer.Queue + ".parked";
        string Progress() => $"seed {seed}: {answers.AnsweredCount} of {deliveries.Count} deliveries are answered after {clock.Elapsed}";
        int kills, sleeps;
        await using (var cluster = new LedgerCluster(Processes, environment))
        {
            await Eventually.TrueAsync(async () => await raw.CountAsync(LedgerConsumer.Queue) is not null, StartDeadline);
            await raw.WaitForConsumersAsync(LedgerConsumer.Queue, Processes, StartDeadline);
            clock.Start();
            var troubled = cluster.TroubleAsync(random, troubles.Every, troubles.LongestSleep, () => answers.AnsweredCount == deliveries.Count || clock.Elapsed > deadline / 2);
            await raw.PublishManyAsync(string.Empty, LedgerConsumer.Queue, deliveries.Select(delivery => delivery.AsMessage()));
            await troubled;
            await Eventually.TrueAsync(() => answers.AnsweredCount == deliveries.Count, deadline / 2, Progress, every: TimeSpan.FromSeconds(1));
            // what was answered and not acknowledged comes once more, and what is in progress ends
            await Eventually.TrueAsync(
                async () => await books.AskAsync("SELECT count(*) FROM retry_once WHERE state = 0") == 0 && await raw.CountAsync(LedgerConsumer.Queue) == 0,
                troubles.Lease + TimeSpan.FromMinutes(1),
                () => $"seed {seed}: a key is stuck",
                every: TimeSpan.FromSeconds(1));
            (kills, sleeps) = (cluster.Kills, cluster.Sleeps);
        }

        output.WriteLine($"{charges} charges, {deliveries.Count} deliveries, {kills} kills, {sleeps} sleeps, {clock.Elapsed.TotalSeconds:0} s, seed {seed}");
        answers.Answered.Order().ShouldBe(deliveries.Select(delivery => delivery.RequestId.ToString("D")).Order());
        answers.Differences.ShouldBeEmpty($"seed {seed}");
        answers.Booked.Count().ShouldBe(charges);
        (await books.ListAsync("SELECT payment, count(*), sum(cents) FROM entries GROUP BY payment HAVING count(*) <> 2 OR sum(cents) <> 0")).ShouldBeEmpty($"seed {seed}");
        (await books.ListAsync("SELECT key, token, state, changed_at FROM retry_once WHERE key NOT IN (SELECT payment FROM entries)")).ShouldBeEmpty($"seed {seed}");
        (await books.AskAsync("SELECT count(DISTINCT payment) FROM entries")).ShouldBe(charges, $"seed {seed}");
        (await books.AskAsync("SELECT sum(cents) FROM entries")).ShouldBe(0);
        (await books.AskAsync($"SELECT sum(cents) FROM entries WHERE account = '{Books.Shop}'")).ShouldBe(deliveries.DistinctBy(delivery => delivery.Charge.PaymentId).Sum(delivery => delivery.Charge.Cents));
        (await books.AskAsync("SELECT count(*) FROM retry_once WHERE state = 1")).ShouldBe(charges);
        (await raw.DrainAsync(parked)).Select(message => $"{message.Reason()}: {message.Header(RetryHeaderNames.Error)}").ShouldBeEmpty($"seed {seed}");
        await raw.ShouldHaveLeftNothingBehindAsync(LedgerConsumer.Queue);
    }

    /// <summary>What befalls the processes.</summary>
    private sealed record Troubles(TimeSpan Lease, TimeSpan Every, TimeSpan LongestSleep);
}
