using System.Diagnostics;
using System.Globalization;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>
/// Stops a process of <see cref="LedgerConsumer"/> before each statement that it would run, and before and after each send: one process for each.
/// Then another one does what is left.
/// </summary>
internal sealed class StatementSchedule
{
    /// <summary>As many steps as there are, and more: the schedule ends when a process has run through.</summary>
    public static readonly IEnumerable<int> All = Enumerable.Range(1, 100);

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    // longer than the lease, and than another process takes
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(10);
    private static readonly LedgerConsumer.Mode Mode = new(Enlisted: true, Lease: TimeSpan.FromSeconds(2), Prefetch: 1);

    private readonly List<LedgerDelivery> _deliveries = [];
    private readonly List<string> _steps = [];
    private readonly Uri _uri;
    private readonly Books _books;
    private readonly string _connectionString;
    private readonly RawClient _raw;
    private readonly LedgerAnswers _answers;

    private StatementSchedule(Uri uri, Books books, string connectionString, RawClient raw, LedgerAnswers answers) =>
        (_uri, _books, _connectionString, _raw, _answers) = (uri, books, connectionString, raw, answers);

    private string Steps => string.Join(Environment.NewLine, _steps);

    /// <summary>Makes books and has a schedule run on them.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="database">Which of the two databases it is.</param>
    /// <param name="connectionString">How a process connects to it.</param>
    /// <param name="output">Gets the steps.</param>
    /// <param name="run">What is done with the schedule.</param>
    public static async Task RunAsync(BrokerFixture broker, string database, string connectionString, ITestOutputHelper output, Func<StatementSchedule, Task> run)
    {
        var books = await Books.CreateAsync(database, connectionString);
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var answers = await LedgerAnswers.CollectAsync(raw);
        var schedule = new StatementSchedule(uri, books, connectionString, raw, answers);
        try
        {
            await run(schedule);
        }
        finally
        {
            output.WriteLine(schedule.Steps);
        }
    }

    /// <summary>Kills a process at each of some steps.</summary>
    public Task KillAsync(IEnumerable<int> steps) => StopAtEachAsync(
        process =>
        {
            process.Kill();
            return Task.CompletedTask;
        },
        steps);

    /// <summary>Has a process sleep for longer than its lease at each of some steps.</summary>
    public Task SleepAsync(IEnumerable<int> steps) => StopAtEachAsync(SleepAsync, steps);

    private async Task StopAtEachAsync(Func<Process, Task> stop, IEnumerable<int> steps)
    {
        foreach (var step in steps)
        {
            using var process = TestProcess.Start(
                TestProcess.LedgerConsumerRole,
                new Dictionary<string, string>(LedgerConsumer.Environment(_uri, _books.Database, _connectionString, Mode))
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

    // A duplicate comes to another process meanwhile. Where the sleeper holds SQLite's lock, or that of its key's row, that one waits until it wakes.
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
        () => $"{_answers.AnsweredCount} of {count} are answered; stopped at {Steps}");

    private async Task ShouldBalanceAsync()
    {
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
