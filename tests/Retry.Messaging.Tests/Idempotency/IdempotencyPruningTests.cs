using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>Old keys are forgotten by themselves, in small batches, and a store that is down ends no service.</summary>
public sealed class IdempotencyPruningTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task It_prunes_at_the_start_until_nothing_old_is_left_and_every_ten_minutes()
    {
        var store = new OldStore { Old = 1_200 };
        using var pruning = new IdempotencyPruning(store, _time, NullLogger<IdempotencyPruning>.Instance);
        await pruning.StartAsync(default);

        await Eventually.TrueAsync(() => store.Batches.Count == 3, Deadline);
        store.Batches.ShouldBe([500, 500, 200]);
        store.Old = 1;
        await Eventually.TrueAsync(() => Advances(TimeSpan.FromMinutes(10), () => store.Batches.Count == 4), Deadline);
        await pruning.StopAsync(default);
    }

    [Fact]
    public async Task A_store_that_is_down_is_tried_again()
    {
        var store = new OldStore { Old = 1, Failures = 2 };
        using var pruning = new IdempotencyPruning(store, _time, NullLogger<IdempotencyPruning>.Instance);
        await pruning.StartAsync(default);

        await Eventually.TrueAsync(() => Advances(TimeSpan.FromMinutes(10), () => store.Batches.Count == 1), Deadline);

        store.Failures.ShouldBeLessThan(0);
        pruning.ExecuteTask!.IsFaulted.ShouldBeFalse();
        await pruning.StopAsync(default);
    }

    [Fact]
    public async Task A_service_with_a_store_prunes()
    {
        using var file = new SqliteUnderTest();
        await using var provider = new ServiceCollection().AddLogging().AddSqliteIdempotency(file.ConnectionString).BuildServiceProvider();

        provider.GetServices<IHostedService>().ShouldHaveSingleItem().ShouldBeOfType<IdempotencyPruning>();
    }

    [Fact]
    public async Task Seven_days_are_remembered_unless_another_time_is_set()
    {
        using var file = new SqliteUnderTest();
        await using var usual = new ServiceCollection().AddSqliteIdempotency(file.ConnectionString).BuildServiceProvider();
        await using var set = new ServiceCollection().AddSqliteIdempotency(file.ConnectionString, store => store.Retention = TimeSpan.FromDays(30)).BuildServiceProvider();

        usual.GetRequiredService<IIdempotencyStore>().Retention.ShouldBe(TimeSpan.FromDays(7));
        set.GetRequiredService<IIdempotencyStore>().Retention.ShouldBe(TimeSpan.FromDays(30));
    }

    private bool Advances(TimeSpan by, Func<bool> condition)
    {
        if (!condition())
        {
            _time.Advance(by);
        }

        return condition();
    }

    private sealed class OldStore : IIdempotencyStore
    {
        private readonly List<int> _batches = [];

        public int Old { get; set; }

        public int Failures { get; set; }

        public IReadOnlyList<int> Batches
        {
            get
            {
                lock (_batches)
                {
                    return [.. _batches];
                }
            }
        }

        public TimeSpan Retention => TimeSpan.FromDays(7);

        public Task<int> PruneAsync(int most, CancellationToken cancellationToken)
        {
            if (Failures-- > 0)
            {
                throw new IOException("the store is down");
            }

            var batch = Math.Min(most, Old);
            Old -= batch;
            lock (_batches)
            {
                _batches.Add(batch);
            }

            return Task.FromResult(batch);
        }

        public Task<IdempotencyVerdict> AcquireAsync(IdempotencyRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> RenewAsync(IdempotencyLease lease, TimeSpan rest, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IdempotencyTransaction> BeginAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> EndAsync(IdempotencyLease lease, IdempotencyResult? result, IdempotencyTransaction? transaction, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
