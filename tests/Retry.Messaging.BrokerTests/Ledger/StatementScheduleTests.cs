using System.Diagnostics;
using System.Globalization;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Tests.Idempotency;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>
/// A schedule stops a process before each statement that it would run, one process for each: SQLite's own trace tells them, so none of the
/// store's, of the consumer's and of the transactions is left out. So it does before and after each send.
/// </summary>
[Collection(ScheduleBroker.Name)]
public sealed class StatementScheduleTests(BrokerFixture broker, ITestOutputHelper output) : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    // longer than the lease, and than another process takes
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(10);
    private static readonly LedgerConsumer.Mode Mode = new(Enlisted: true, Lease: TimeSpan.FromSeconds(2), Prefetch: 1);

    private readonly SqliteFile _file = new();
    private readonly List<LedgerDelivery> _deliveries = [];
    private readonly List<string> _steps = [];
    private Uri _uri = null!;
    private Books _books = null!;
    private RawClient _raw = null!;
    private LedgerAnswers _answers = null!;

    public async Task InitializeAsync()
    {
        _uri = await broker.CreateVirtualHostAsync();
        _books = await Books.CreateAsync(Books.Sqlite, _file.ConnectionString);
        _raw = await RawClient.ConnectAsync(_uri);
        _answers = await LedgerAnswers.CollectAsync(_raw);
    }

    public async Task DisposeAsync()
    {
        await _answers.DisposeAsync();
        await _raw.DisposeAsync();
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The consumer's writes, the mark and their commit.</summary>
    [Fact]
    public async Task Killed_around_the_commit_books_and_broker_agree_and_money_adds_up() => await StopAtEachAsync(KillAsync, Enumerable.Range(6, 6));

    [Fact]
    [Trait("Category", "Long")]
    public async Task Killed_before_each_statement_and_send_books_and_broker_agree_and_money_adds_up() => await StopAtEachAsync(KillAsync, Enumerable.Range(1, 100));

    [Fact]
    [Trait("Category", "Long")]
    public async Task Asleep_before_each_statement_and_send_longer_than_its_lease_books_and_broker_agree_and_money_adds_up() => await StopAtEachAsync(SleepAsync, Enumerable.Range(1, 100));

    private async Task StopAtEachAsync(Func<Process, Task> stop, IEnumerable<int> steps)
    {
        foreach (var step in steps)
        {
            using var process = TestProcess.Start(
                TestProcess.LedgerConsumerRole,
                new Dictionary<string, string>(LedgerConsumer.Environment(_uri, Books.Sqlite, _file.ConnectionString, Mode))
                {
                    [StopStep.Variable] = step.ToString(CultureInfo.InvariantCulture),
                });
            await Eventually.TrueAsync(async () => await _raw.CountAsync(LedgerConsumer.Queue) is not null, Deadline);
            await _raw.WaitForConsumersAsync(LedgerConsumer.Queue, 1, Deadline);
            await SendAsync(new LedgerMessages.Charge($"pay-{step}", 1000 + step, Failures: 0));
            var stopped = process.StandardOutput.ReadLineAsync();
            await Eventually.TrueAsync(() => stopped.IsCompleted || _answers.AnsweredCount == _deliveries.Count, Deadline);
            if (!stopped.IsCompleted)
            {
                // it has no such step: all have been
                process.Kill();
                await process.WaitForExitAsync().WaitAsync(Deadline);
                break;
            }

            _steps.Add((await stopped)!);
            await stop(process);
            await process.WaitForExitAsync().WaitAsync(Deadline);
        }

        await using (await LedgerConsumer.StartAsync(_uri, _books, Mode))
        {
            await AnsweredAsync(_deliveries.Count);
        }

        await ShouldBalanceAsync();
    }

    private static Task KillAsync(Process process)
    {
        process.Kill();
        return Task.CompletedTask;
    }

    // A duplicate comes to another process meanwhile. Where the sleeper holds SQLite's lock, that one waits until it wakes.
    private async Task SleepAsync(Process process)
    {
        await using var other = await LedgerConsumer.StartAsync(_uri, _books, Mode);
        await SendAsync(_deliveries[^1].Charge);
        await Eventually.IsTrueAsync(() => _answers.AnsweredCount == _deliveries.Count - 1, LongestSleep);
        process.StandardInput.Close();
        Signals.Send(process.Id, Signals.Continue);
        await AnsweredAsync(_deliveries.Count);
    }

    private async Task SendAsync(LedgerMessages.Charge charge)
    {
        _deliveries.Add(new LedgerDelivery(charge, Guid.NewGuid(), Guid.NewGuid()));
        await _raw.PublishManyAsync(string.Empty, LedgerConsumer.Queue, [_deliveries[^1].AsMessage()]);
    }

    private Task AnsweredAsync(int count) => Eventually.TrueAsync(
        () => _answers.AnsweredCount == count,
        Deadline,
        () => $"{_answers.AnsweredCount} of {count} are answered; stopped at {string.Join(Environment.NewLine, _steps)}");

    private async Task ShouldBalanceAsync()
    {
        output.WriteLine(string.Join(Environment.NewLine, _steps));
        _steps.Count(step => step.Contains("COMMIT", StringComparison.Ordinal)).ShouldBeGreaterThan(0);
        var charges = _deliveries.Select(one => one.Charge).Distinct().ToList();
        _answers.Differences.ShouldBeEmpty();
        _answers.Booked.Order().ShouldBe(charges.Select(charge => charge.PaymentId).Order());
        (await _books.AskAsync("SELECT count(*) FROM entries")).ShouldBe(2 * charges.Count);
        (await _books.AskAsync("SELECT count(DISTINCT payment || account) FROM entries")).ShouldBe(2 * charges.Count);
        (await _books.AskAsync("SELECT sum(cents) FROM entries")).ShouldBe(0);
        (await _books.AskAsync($"SELECT sum(cents) FROM entries WHERE account = '{Books.Shop}'")).ShouldBe(charges.Sum(charge => charge.Cents));
        (await _books.AskAsync("SELECT count(*) FROM retry_once WHERE state <> 1")).ShouldBe(0);
        (await _raw.CountAsync(LedgerConsumer.Queue + ".parked")).ShouldBe(0u);
        await _raw.ShouldHaveLeftNothingBehindAsync(LedgerConsumer.Queue);
    }
}
