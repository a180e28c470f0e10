using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.Sqlite;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>What waits together commits together, and each is told the truth about it.</summary>
public sealed class SqliteWriterTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly SqliteUnderTest _file = new();
    private readonly FakeTimeProvider _time = new();
    private readonly SqliteWriter _writer;

    public SqliteWriterTests() => _writer = new SqliteWriter(_file.ConnectionString, _time);

    [Theory]
    [InlineData(100, 1)]
    [InlineData(SqliteWriter.Most + 100, 2)]
    public async Task Those_who_wait_together_commit_together_but_for_so_many(int many, int transactions)
    {
        await _writer.RunAsync(_ => true, default);
        var held = await _writer.BeginAsync(default);
        var waiting = WriteManyAsync(many);
        _time.Advance(TimeSpan.FromSeconds(1)); // the group of the turn takes nobody more
        await held.KeepAsync();

        (await waiting).Distinct().Count().ShouldBe(transactions);
        (await CountAsync()).ShouldBe(many);
    }

    [Fact]
    public async Task A_consumers_turn_and_what_comes_behind_it_commit_together()
    {
        var held = await _writer.BeginAsync(default);
        var transaction = held.Keys.Transaction;
        var waiting = WriteManyAsync(10);
        await held.KeepAsync();

        (await waiting).ShouldAllBe(one => ReferenceEquals(one, transaction));
    }

    [Fact]
    public async Task Nobody_hears_of_success_before_the_commit()
    {
        using var reader = new SqliteConnection(_file.ConnectionString);
        reader.Open();
        for (var written = 1; written <= 20; written++)
        {
            var key = $"{written}";
            await _writer.RunAsync(keys => keys.Begin(Request(key), DateTimeOffset.UnixEpoch), default);

            using var count = new SqliteCommand("SELECT count(*) FROM retry_once", reader);
            ((long)count.ExecuteScalar()!).ShouldBe(written);
        }
    }

    [Fact]
    public async Task When_one_cannot_write_all_of_its_group_hear_of_it_and_nothing_of_it_is_there()
    {
        await _writer.RunAsync(_ => true, default);
        var held = await _writer.BeginAsync(default);
        var waiting = Enumerable.Range(0, 3).Select(number => _writer.RunAsync(
            keys => number == 1 ? throw new SqliteException("disk full", 13) : keys.Begin(Request($"{number}"), DateTimeOffset.UnixEpoch),
            default)).ToList();
        _time.Advance(TimeSpan.FromSeconds(1)); // the group of the turn takes nobody more
        await held.KeepAsync();

        var failed = await Task.WhenAll(waiting.Select(async one => await Record.ExceptionAsync(() => one)));

        // the third stood behind it, and had a group of its own
        failed.Select(exception => exception is SqliteException).ShouldBe([true, true, false]);
        (await CountAsync()).ShouldBe(1);
        (await _writer.RunAsync(keys => keys.Begin(Request("next"), DateTimeOffset.UnixEpoch), default)).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_file_that_is_locked_for_long_is_the_answer_to_all_who_wait()
    {
        var impatient = new SqliteWriter($"{_file.ConnectionString};Default Timeout=1", _time);
        await impatient.RunAsync(_ => true, default);
        using var other = new SqliteConnection(_file.ConnectionString);
        other.Open();
        using var locked = other.BeginTransaction(deferred: false);

        var waiting = Enumerable.Range(0, 20).Select(_ => Record.ExceptionAsync(() => impatient.RunAsync(_ => true, default))).ToList();

        // not one after the other: that would be twenty times as long
        (await Task.WhenAll(waiting).WaitAsync(Deadline)).ShouldAllBe(exception => exception is SqliteException);
        locked.Rollback();
        (await impatient.RunAsync(_ => true, default)).ShouldBeTrue();
        await impatient.DisposeAsync();
    }

    [Fact]
    public async Task Who_gives_up_waiting_goes_at_once_and_leaves_no_hole_in_the_line()
    {
        var held = await _writer.BeginAsync(default);
        using var givingUp = new CancellationTokenSource();
        var turn = _writer.BeginAsync(givingUp.Token);
        var write = _writer.RunAsync(_ => true, givingUp.Token);
        var behind = _writer.RunAsync(_ => true, default);
        await givingUp.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => turn.WaitAsync(Deadline));
        await Should.ThrowAsync<OperationCanceledException>(() => write.WaitAsync(Deadline));
        behind.IsCompleted.ShouldBeFalse();
        await held.DisposeAsync();

        (await behind.WaitAsync(Deadline)).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_is_in_line_when_the_store_ends_is_written_and_nobody_comes_after()
    {
        var held = await _writer.BeginAsync(default);
        var waiting = _writer.RunAsync(keys => keys.Begin(Request("last"), DateTimeOffset.UnixEpoch), default);
        var ending = _writer.DisposeAsync();
        await held.KeepAsync();
        await ending;

        (await waiting).ShouldBeGreaterThan(0);
        (await CountAsync()).ShouldBe(1);
        await Should.ThrowAsync<ObjectDisposedException>(() => _writer.RunAsync(_ => true, default));
    }

    public void Dispose()
    {
        _writer.Dispose();
        _file.Dispose();
    }

    private static IdempotencyRequest Request(string key) => new(new IdempotencyKey("payments", key), "hash", TimeSpan.FromMinutes(1));

    private async Task<IReadOnlyList<SqliteTransaction?>> WriteManyAsync(int many) => await Task.WhenAll(Enumerable.Range(0, many).Select(number => _writer.RunAsync(
        keys =>
        {
            keys.Begin(Request($"{number}"), DateTimeOffset.UnixEpoch);
            return keys.Transaction;
        },
        default)));

    private async Task<long> CountAsync()
    {
        await using var connection = new SqliteConnection(_file.ConnectionString);
        await connection.OpenAsync();
        await using var count = new SqliteCommand("SELECT count(*) FROM retry_once", connection);
        return (long)(await count.ExecuteScalarAsync())!;
    }
}
