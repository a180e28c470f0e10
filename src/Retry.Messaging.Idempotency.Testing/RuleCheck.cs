namespace Retry.Messaging.Idempotency.Testing;

/// <summary>What the rules ask a store, and how they say what they wanted.</summary>
internal sealed class RuleCheck(IStoreUnderTest store)
{
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    public static readonly IdempotencyKey Key = new("payments/ChargeConsumer/Charge", "4711");

    public static readonly IdempotencyResult Done = new(IsFailure: false, new byte[] { 1, 2, 3 });

    public ManualClock Time { get; } = new();

    public static void Require(bool condition, string found, string wanted)
    {
        if (!condition)
        {
            throw new StoreRuleException($"Found {found}, wanted {wanted}.");
        }
    }

    public static T Require<T>(IdempotencyVerdict verdict, string wanted)
        where T : IdempotencyVerdict
    {
        Require(verdict is T, verdict.ToString(), $"{typeof(T).Name}: {wanted}");
        return (T)verdict;
    }

    public IIdempotencyStore Open() => store.Open(Time);

    public Task<int> CountOwnAsync() => store.CountOwnAsync();

    public async Task<IdempotencyTransaction> WriteAsync(IIdempotencyStore writer)
    {
        var transaction = await writer.BeginAsync(default).ConfigureAwait(false);
        await store.WriteOwnAsync(transaction).ConfigureAwait(false);
        return transaction;
    }

    public async Task<IdempotencyVerdict.Run> RunAsync(IIdempotencyStore on, Func<IdempotencyRequest, IdempotencyRequest>? with = null) =>
        Require<IdempotencyVerdict.Run>(await AcquireAsync(on, with).ConfigureAwait(false), "the message may run");

    public async Task<IdempotencyLease> LeaseAsync(IIdempotencyStore on, string? key = null) =>
        (await RunAsync(on, request => key is null ? request : request with { Key = Key with { Value = key } }).ConfigureAwait(false)).Lease;

#pragma warning disable CA1822 // reads like the others
    public Task<IdempotencyVerdict> AcquireAsync(IIdempotencyStore on, Func<IdempotencyRequest, IdempotencyRequest>? with = null)
#pragma warning restore CA1822
    {
        var request = new IdempotencyRequest(Key, "hash", Lease);
        return on.AcquireAsync(with?.Invoke(request) ?? request, default);
    }
}
