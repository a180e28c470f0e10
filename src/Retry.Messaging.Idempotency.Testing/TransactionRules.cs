namespace Retry.Messaging.Idempotency.Testing;

/// <summary>What the consumer wrote, and whether it counts.</summary>
#pragma warning disable CA1707 // a rule is a sentence
internal static class TransactionRules
{
    public static async Task Who_slept_beyond_its_lease_commits_nothing(RuleCheck check)
    {
        var sleeper = check.Open();
        var lease = await check.LeaseAsync(sleeper).ConfigureAwait(false);
        check.Time.Advance(RuleCheck.Lease);
        var next = await check.LeaseAsync(check.Open()).ConfigureAwait(false);

        if (await IsDatabaseAsync(sleeper).ConfigureAwait(false))
        {
            var transaction = await check.WriteAsync(sleeper).ConfigureAwait(false);
            RuleCheck.Require(!await sleeper.EndAsync(lease, RuleCheck.Done, transaction, default).ConfigureAwait(false), "an end that counts", "it to be refused");
            await RequireOwnAsync(check, 0).ConfigureAwait(false);
        }

        RuleCheck.Require(!await sleeper.EndAsync(lease, RuleCheck.Done, null, default).ConfigureAwait(false), "an end that counts", "it to be refused");
        RuleCheck.Require(!await sleeper.EndAsync(lease, null, null, default).ConfigureAwait(false), "a key let go of", "it to belong to another");
        RuleCheck.Require(await check.Open().EndAsync(next, RuleCheck.Done, null, default).ConfigureAwait(false), "the end of the newest lease refused", "it to count");
    }

    public static async Task The_consumers_writes_commit_with_the_end_or_not_at_all(RuleCheck check)
    {
        var store = check.Open();
        var lease = await check.LeaseAsync(store).ConfigureAwait(false);
        if (!await IsDatabaseAsync(store).ConfigureAwait(false))
        {
            return;
        }

        var undone = await check.WriteAsync(store).ConfigureAwait(false);
        await undone.DisposeAsync().ConfigureAwait(false);
        await RequireOwnAsync(check, 0).ConfigureAwait(false);

        var kept = await check.WriteAsync(store).ConfigureAwait(false);
        RuleCheck.Require(await store.EndAsync(lease, RuleCheck.Done, kept, default).ConfigureAwait(false), "the end refused", "it to count");
        await RequireOwnAsync(check, 1).ConfigureAwait(false);
        await kept.DisposeAsync().ConfigureAwait(false);
        await RequireOwnAsync(check, 1).ConfigureAwait(false);
    }

    public static async Task Of_two_who_wrote_the_one_that_fails_is_undone_alone(RuleCheck check)
    {
        var store = check.Open();
        var (one, other) = (await check.LeaseAsync(store, "one").ConfigureAwait(false), await check.LeaseAsync(store, "other").ConfigureAwait(false));
        if (!await IsDatabaseAsync(store).ConfigureAwait(false))
        {
            return;
        }

        // as close together as the store lets them
        var succeeds = Task.Run(() => WriteAndEndAsync(check, store, one));
        var fails = Task.Run(async () =>
        {
            var transaction = await check.WriteAsync(store).ConfigureAwait(false);
            await transaction.DisposeAsync().ConfigureAwait(false);
            return await store.EndAsync(other, null, null, default).ConfigureAwait(false);
        });

        RuleCheck.Require(await succeeds.ConfigureAwait(false) && await fails.ConfigureAwait(false), "an end refused", "both to count");
        await RequireOwnAsync(check, 1).ConfigureAwait(false);
    }

    public static async Task Who_ends_at_the_same_time_commits_each_its_own(RuleCheck check)
    {
        const int Many = 50;
        var store = check.Open();
        if (!await IsDatabaseAsync(store).ConfigureAwait(false))
        {
            return;
        }

        var ended = await Task.WhenAll(Enumerable.Range(0, Many).Select(key => Task.Run(async () =>
        {
            return await WriteAndEndAsync(check, store, await check.LeaseAsync(store, $"{key}").ConfigureAwait(false)).ConfigureAwait(false);
        }))).ConfigureAwait(false);

        RuleCheck.Require(ended.All(counts => counts), "an end refused", "all to count");
        await RequireOwnAsync(check, Many).ConfigureAwait(false);
    }

    public static async Task A_transaction_that_is_over_touches_none_that_came_after_it(RuleCheck check)
    {
        var store = check.Open();
        var (one, other) = (await check.LeaseAsync(store, "one").ConfigureAwait(false), await check.LeaseAsync(store, "other").ConfigureAwait(false));
        if (!await IsDatabaseAsync(store).ConfigureAwait(false))
        {
            return;
        }

        var first = await check.WriteAsync(store).ConfigureAwait(false);
        await store.EndAsync(one, RuleCheck.Done, first, default).ConfigureAwait(false);

        // a store may give the connection on to the next one
        var second = await check.WriteAsync(store).ConfigureAwait(false);
        await first.DisposeAsync().ConfigureAwait(false);
        RuleCheck.Require(await store.EndAsync(other, RuleCheck.Done, second, default).ConfigureAwait(false), "the end refused", "it to count");
        await RequireOwnAsync(check, 2).ConfigureAwait(false);
    }

    public static async Task A_transaction_that_somebody_has_ended_does_not_count(RuleCheck check)
    {
        var store = check.Open();
        var lease = await check.LeaseAsync(store).ConfigureAwait(false);
        if (!await IsDatabaseAsync(store).ConfigureAwait(false))
        {
            return;
        }

        var transaction = await check.WriteAsync(store).ConfigureAwait(false);
        await transaction.DisposeAsync().ConfigureAwait(false);
        try
        {
            var counts = await store.EndAsync(lease, RuleCheck.Done, transaction, default).ConfigureAwait(false);
            RuleCheck.Require(!counts, "an end that counts without what the consumer wrote", "an exception");
        }
        catch (InvalidOperationException)
        {
            // as wanted
        }

        RuleCheck.Require<IdempotencyVerdict.InProgress>(await check.AcquireAsync(store).ConfigureAwait(false), "it has not ended");
        await RequireOwnAsync(check, 0).ConfigureAwait(false);
    }

    private static async Task<bool> WriteAndEndAsync(RuleCheck check, IIdempotencyStore store, IdempotencyLease lease) =>
        await store.EndAsync(lease, RuleCheck.Done, await check.WriteAsync(store).ConfigureAwait(false), default).ConfigureAwait(false);

    private static async Task RequireOwnAsync(RuleCheck check, int wanted)
    {
        var found = await check.CountOwnAsync().ConfigureAwait(false);
        RuleCheck.Require(found == wanted, $"{found} rows of the consumer's own", $"{wanted}");
    }

    private static async Task<bool> IsDatabaseAsync(IIdempotencyStore store)
    {
        try
        {
            var transaction = await store.BeginAsync(default).ConfigureAwait(false);
            await transaction.DisposeAsync().ConfigureAwait(false);
            return true;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }
}
