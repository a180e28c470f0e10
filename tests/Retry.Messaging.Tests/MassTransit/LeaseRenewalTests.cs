using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Idempotency;
using Retry.Messaging.MassTransit.Idempotency;
using Retry.Messaging.Tests.Idempotency;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>A lease lasts as long as its consumer runs, and no longer.</summary>
public sealed class LeaseRenewalTests : IDisposable
{
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(1);
    private static readonly IdempotencyRequest Request = new(new IdempotencyKey("payments", "4711"), "hash", Length);

    private readonly SqliteUnderTest _file = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 29, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task It_is_renewed_each_third_of_its_time_and_nobody_takes_the_key_over()
    {
        var store = new CountingStore(_file.OpenStore(_time));
        var lease = await LeaseAsync(store);
        await using (LeaseRenewal.Start("payments", store, lease, Length, _time, NullLogger.Instance))
        {
            for (var renewed = 1; renewed <= 6; renewed++)
            {
                _time.Advance(Length / 3);
                await Eventually.TrueAsync(() => store.Renewed == renewed, OnceService.Deadline);
            }

            (await store.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.InProgress>();
        }

        _time.Advance(Length / 2);
        store.Renewed.ShouldBe(6);
        _time.Advance(Length / 2);
        (await store.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.Run>().IsUncertain.ShouldBeTrue();
    }

    [Fact]
    public async Task Who_slept_does_not_take_back_what_another_has_taken_over()
    {
        var store = new CountingStore(_file.OpenStore(_time));
        var lease = await LeaseAsync(store);
        var clock = new FakeTimeProvider();
        await using (LeaseRenewal.Start("payments", store, lease, Length, clock, NullLogger.Instance))
        {
            // its own clock stands still while it sleeps, and the store's does not
            _time.Advance(Length);
            var next = await LeaseAsync(store);
            clock.Advance(Length);
            await Eventually.TrueAsync(() => store.Refused == 1, OnceService.Deadline);
            clock.Advance(Length);

            store.Asked.ShouldBe(1);
            (await store.EndAsync(next, new IdempotencyResult(false, default), null, default)).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task A_store_that_is_down_for_a_while_costs_no_lease()
    {
        var store = new CountingStore(_file.OpenStore(_time)) { IsDown = true };
        var lease = await LeaseAsync(store);
        await using (LeaseRenewal.Start("payments", store, lease, Length, _time, NullLogger.Instance))
        {
            _time.Advance(Length / 3);
            await Eventually.TrueAsync(() => store.Asked == 1, OnceService.Deadline);
            store.IsDown = false;
            _time.Advance(Length / 3);
            await Eventually.TrueAsync(() => store.Renewed == 1, OnceService.Deadline);
        }
    }

    public void Dispose() => _file.Dispose();

    private static async Task<IdempotencyLease> LeaseAsync(IIdempotencyStore store) =>
        (await store.AcquireAsync(Request, default)).ShouldBeOfType<IdempotencyVerdict.Run>().Lease;

    private sealed class CountingStore(IIdempotencyStore store) : IIdempotencyStore
    {
        private int _asked;
        private int _renewed;
        private int _refused;

        public bool IsDown { get; set; }

        public int Asked => _asked;

        public int Renewed => _renewed;

        public int Refused => _refused;

        public TimeSpan Retention => store.Retention;

        public Task<IdempotencyVerdict> AcquireAsync(IdempotencyRequest request, CancellationToken cancellationToken) => store.AcquireAsync(request, cancellationToken);

        public async Task<bool> RenewAsync(IdempotencyLease lease, TimeSpan rest, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            var renewed = IsDown ? throw new IOException("the store is down") : await store.RenewAsync(lease, rest, cancellationToken);
            Interlocked.Increment(ref renewed ? ref _renewed : ref _refused);
            return renewed;
        }

        public Task<IdempotencyTransaction> BeginAsync(CancellationToken cancellationToken) => store.BeginAsync(cancellationToken);

        public Task<bool> EndAsync(IdempotencyLease lease, IdempotencyResult? result, IdempotencyTransaction? transaction, CancellationToken cancellationToken) =>
            store.EndAsync(lease, result, transaction, cancellationToken);

        public Task<int> PruneAsync(int most, CancellationToken cancellationToken) => store.PruneAsync(most, cancellationToken);
    }
}
