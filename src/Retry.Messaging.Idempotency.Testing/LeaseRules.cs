namespace Retry.Messaging.Idempotency.Testing;

/// <summary>Who may run, and until when.</summary>
#pragma warning disable CA1707 // a rule is a sentence
internal static class LeaseRules
{
    public static async Task A_running_key_tells_the_rest_of_its_lease(RuleCheck check)
    {
        await check.LeaseAsync(check.Open()).ConfigureAwait(false);
        check.Time.Advance(TimeSpan.FromSeconds(20));

        await RequireRestAsync(check, TimeSpan.FromSeconds(40)).ConfigureAwait(false);
    }

    public static async Task A_lease_that_ran_out_is_taken_over_and_known_to_be_uncertain(RuleCheck check)
    {
        var first = await check.LeaseAsync(check.Open()).ConfigureAwait(false);
        check.Time.Advance(RuleCheck.Lease);

        var refused = await check.AcquireAsync(check.Open(), request => request with { TakesOver = false }).ConfigureAwait(false);
        RuleCheck.Require<IdempotencyVerdict.Uncertain>(refused, "nobody knows");
        var second = await check.RunAsync(check.Open()).ConfigureAwait(false);

        RuleCheck.Require(second.IsUncertain, "a lease that is certain", "an uncertain one");
        RuleCheck.Require(second.Lease.Token != first.Token, "the token of the first lease", "another");
    }

    public static async Task A_lease_that_is_renewed_is_not_taken_over(RuleCheck check)
    {
        var store = check.Open();
        var lease = await check.LeaseAsync(store).ConfigureAwait(false);
        check.Time.Advance(RuleCheck.Lease * 0.75);

        RuleCheck.Require(await store.RenewAsync(lease, RuleCheck.Lease, default).ConfigureAwait(false), "a renewal refused", "it to count");

        check.Time.Advance(RuleCheck.Lease * 0.5);
        await RequireRestAsync(check, RuleCheck.Lease * 0.5).ConfigureAwait(false);
        RuleCheck.Require(await store.EndAsync(lease, RuleCheck.Done, null, default).ConfigureAwait(false), "the end refused", "it to count");
    }

    public static async Task A_lease_that_was_taken_over_is_not_renewed_nor_one_that_has_ended(RuleCheck check)
    {
        var store = check.Open();
        var first = await check.LeaseAsync(store).ConfigureAwait(false);
        check.Time.Advance(RuleCheck.Lease);
        var second = await check.LeaseAsync(check.Open()).ConfigureAwait(false);

        RuleCheck.Require(!await store.RenewAsync(first, RuleCheck.Lease * 9, default).ConfigureAwait(false), "the first lease renewed", "it to be lost");
        await RequireRestAsync(check, RuleCheck.Lease).ConfigureAwait(false);

        await store.EndAsync(second, RuleCheck.Done, null, default).ConfigureAwait(false);
        RuleCheck.Require(!await store.RenewAsync(second, RuleCheck.Lease, default).ConfigureAwait(false), "an ended lease renewed", "it to be over");
    }

    public static async Task Of_many_who_take_over_at_once_one_runs(RuleCheck check)
    {
        await check.LeaseAsync(check.Open()).ConfigureAwait(false);
        check.Time.Advance(RuleCheck.Lease);

        var asked = Enumerable.Range(0, 16).Select(_ => Task.Run(() => check.AcquireAsync(check.Open())));
        var verdicts = await Task.WhenAll(asked).ConfigureAwait(false);

        RuleCheck.Require(verdicts.Count(verdict => verdict is IdempotencyVerdict.Run) == 1, string.Join(", ", verdicts.Select(one => one.GetType().Name)), "one that runs");
    }

    public static async Task A_token_never_comes_again(RuleCheck check)
    {
        var store = check.Open();
        var first = await check.LeaseAsync(store).ConfigureAwait(false);
        await store.EndAsync(first, null, null, default).ConfigureAwait(false);

        var second = await check.LeaseAsync(check.Open()).ConfigureAwait(false);
        RuleCheck.Require(second.Token != first.Token, "a token that was given before", "a new one");
    }

    public static async Task A_late_end_counts_where_nobody_took_over(RuleCheck check)
    {
        var store = check.Open();
        var lease = await check.LeaseAsync(store).ConfigureAwait(false);
        check.Time.Advance(RuleCheck.Lease * 2);

        RuleCheck.Require(await store.EndAsync(lease, RuleCheck.Done, null, default).ConfigureAwait(false), "the end refused", "it to count");
    }

    private static async Task RequireRestAsync(RuleCheck check, TimeSpan wanted)
    {
        var rest = RuleCheck.Require<IdempotencyVerdict.InProgress>(await check.AcquireAsync(check.Open()).ConfigureAwait(false), "it runs").Rest;
        RuleCheck.Require(rest == wanted, $"a rest of {rest}", $"{wanted}");
    }
}
