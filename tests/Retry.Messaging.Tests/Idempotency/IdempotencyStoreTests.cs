using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Idempotency;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>What every store must do, whatever it is made of. A class that derives from this one runs it against its store.</summary>
public abstract class IdempotencyStoreTests
{
    private static readonly IdempotencyKey Key = new("payments/ChargeConsumer/Charge", "4711");
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);
    private static readonly IdempotencyResult Done = new(IsFailure: false, new byte[] { 1, 2, 3 });

    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 29, 0, 0, 0, TimeSpan.Zero));

    /// <summary>Opens the store; each call as another process would, on the same keys.</summary>
    protected abstract IIdempotencyStore Open();

    /// <summary>Writes one row of the consumer's own in a transaction.</summary>
    protected abstract Task WriteOwnAsync(IdempotencyTransaction transaction);

    /// <summary>Counts the rows of the consumer's own that are committed.</summary>
    protected abstract Task<int> CountOwnAsync();

    [Fact]
    public async Task A_key_runs_once_and_is_answered_with_what_was_kept()
    {
        var store = Open();
        var lease = await RunsAsync(store);

        (await store.EndAsync(lease, Done, null, default)).ShouldBeTrue();

        var known = (await AcquireAsync(Open())).ShouldBeOfType<IdempotencyVerdict.Ended>().Result;
        known.IsFailure.ShouldBeFalse();
        known.Content.ToArray().ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task A_failure_is_remembered_until_an_operator_replays_its_message()
    {
        var store = Open();
        await store.EndAsync(await RunsAsync(store), Done with { IsFailure = true }, null, default);

        (await AcquireAsync(store)).ShouldBeOfType<IdempotencyVerdict.Ended>().Result.IsFailure.ShouldBeTrue();
        (await AcquireAsync(store, request => request with { IsReplay = true, ContentHash = "edited" })).ShouldBeOfType<IdempotencyVerdict.Run>();
    }

    [Fact]
    public async Task What_is_done_stays_done_when_its_message_is_replayed()
    {
        var store = Open();
        await store.EndAsync(await RunsAsync(store), Done, null, default);

        (await AcquireAsync(store, request => request with { IsReplay = true })).ShouldBeOfType<IdempotencyVerdict.Ended>();
    }

    [Fact]
    public async Task A_key_that_is_let_go_of_is_unknown_again()
    {
        var store = Open();

        (await store.EndAsync(await RunsAsync(store), null, null, default)).ShouldBeTrue();

        (await RunAsync(store)).IsUncertain.ShouldBeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Other_content_never_runs(bool ended)
    {
        var store = Open();
        var lease = await RunsAsync(store);
        if (ended)
        {
            await store.EndAsync(lease, Done, null, default);
        }

        (await AcquireAsync(store, request => request with { ContentHash = "other" })).ShouldBeOfType<IdempotencyVerdict.OtherContent>();
    }

    [Fact]
    public async Task Keys_of_two_consumers_are_two()
    {
        var store = Open();
        await RunsAsync(store);

        (await AcquireAsync(store, request => request with { Key = Key with { Consumer = "payments/AuditConsumer/Charge" } })).ShouldBeOfType<IdempotencyVerdict.Run>();
    }

    [Fact]
    public async Task A_running_key_tells_the_rest_of_its_lease()
    {
        await RunsAsync(Open());
        Time.Advance(TimeSpan.FromSeconds(20));

        (await AcquireAsync(Open())).ShouldBe(new IdempotencyVerdict.InProgress(TimeSpan.FromSeconds(40)));
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_taken_over_and_known_to_be_uncertain()
    {
        var first = await RunsAsync(Open());
        Time.Advance(Lease);

        (await AcquireAsync(Open(), request => request with { TakesOver = false })).ShouldBeOfType<IdempotencyVerdict.Uncertain>();
        var second = await RunAsync(Open());

        second.IsUncertain.ShouldBeTrue();
        second.Lease.Token.ShouldBeGreaterThan(first.Token);
    }

    [Fact]
    public async Task Who_slept_beyond_its_lease_commits_nothing()
    {
        var sleeper = Open();
        var lease = await RunsAsync(sleeper);
        Time.Advance(Lease);
        var next = await RunsAsync(Open());
        var transaction = await sleeper.BeginAsync(default);
        await WriteOwnAsync(transaction);

        (await sleeper.EndAsync(lease, Done, transaction, default)).ShouldBeFalse();
        (await sleeper.EndAsync(lease, null, null, default)).ShouldBeFalse();

        (await CountOwnAsync()).ShouldBe(0);
        (await Open().EndAsync(next, Done, null, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_token_never_comes_again()
    {
        var store = Open();
        var first = await RunsAsync(store);
        await store.EndAsync(first, null, null, default);

        (await RunsAsync(Open())).Token.ShouldBeGreaterThan(first.Token);
    }

    [Fact]
    public async Task The_consumers_writes_commit_with_the_end_or_not_at_all()
    {
        var store = Open();
        var lease = await RunsAsync(store);
        var undone = await store.BeginAsync(default);
        await WriteOwnAsync(undone);
        await undone.DisposeAsync();
        (await CountOwnAsync()).ShouldBe(0);

        var transaction = await store.BeginAsync(default);
        await WriteOwnAsync(transaction);
        (await store.EndAsync(lease, Done, transaction, default)).ShouldBeTrue();

        (await CountOwnAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task Of_many_who_ask_at_once_one_runs()
    {
        var verdicts = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => AcquireAsync(Open()))));

        verdicts.OfType<IdempotencyVerdict.Run>().Count().ShouldBe(1);
        verdicts.OfType<IdempotencyVerdict.InProgress>().Count().ShouldBe(15);
    }

    [Fact]
    public async Task Keys_are_forgotten_after_the_retention_in_batches_but_none_that_runs()
    {
        var store = Open();
        foreach (var value in new[] { "1", "2", "3" })
        {
            var lease = await RunsAsync(store, request => request with { Key = Key with { Value = value } });
            await store.EndAsync(lease, Done, null, default);
        }

        await RunsAsync(store, request => request with { Lease = store.Retention * 2 });
        (await store.PruneAsync(2, default)).ShouldBe(0);
        Time.Advance(store.Retention + TimeSpan.FromSeconds(1));

        (await store.PruneAsync(2, default)).ShouldBe(2);
        (await store.PruneAsync(2, default)).ShouldBe(1);
        (await store.PruneAsync(2, default)).ShouldBe(0);
    }

    private static async Task<IdempotencyLease> RunsAsync(IIdempotencyStore store, Func<IdempotencyRequest, IdempotencyRequest>? with = null) =>
        (await AcquireAsync(store, with)).ShouldBeOfType<IdempotencyVerdict.Run>().Lease;

    private static async Task<IdempotencyVerdict.Run> RunAsync(IIdempotencyStore store) =>
        (await AcquireAsync(store)).ShouldBeOfType<IdempotencyVerdict.Run>();

    private static Task<IdempotencyVerdict> AcquireAsync(IIdempotencyStore store, Func<IdempotencyRequest, IdempotencyRequest>? with = null)
    {
        var request = new IdempotencyRequest(Key, "hash", Lease);
        return store.AcquireAsync(with?.Invoke(request) ?? request, default);
    }
}
