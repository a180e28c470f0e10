namespace Retry.Messaging.Idempotency.Testing;

/// <summary>What is known of a key, and for how long.</summary>
#pragma warning disable CA1707 // a rule is a sentence
internal static class KeyRules
{
    public static async Task A_key_runs_once_and_is_answered_with_what_was_kept(RuleCheck check)
    {
        var store = check.Open();
        var lease = await check.LeaseAsync(store).ConfigureAwait(false);

        RuleCheck.Require(await store.EndAsync(lease, RuleCheck.Done, null, default).ConfigureAwait(false), "the end of a lease refused", "it to count");

        var known = RuleCheck.Require<IdempotencyVerdict.Ended>(await check.AcquireAsync(check.Open()).ConfigureAwait(false), "it is done").Result;
        RuleCheck.Require(!known.IsFailure, "a failure", "a message that is done");
        RuleCheck.Require(known.Content.Span.SequenceEqual(RuleCheck.Done.Content.Span), Convert.ToHexString(known.Content.Span), "the bytes that were kept");
    }

    public static async Task A_failure_is_remembered_until_an_operator_replays_its_message(RuleCheck check)
    {
        var store = check.Open();
        var lease = await check.LeaseAsync(store).ConfigureAwait(false);
        await store.EndAsync(lease, RuleCheck.Done with { IsFailure = true }, null, default).ConfigureAwait(false);

        var known = RuleCheck.Require<IdempotencyVerdict.Ended>(await check.AcquireAsync(store).ConfigureAwait(false), "it failed");
        RuleCheck.Require(known.Result.IsFailure, "a message that is done", "a failure");
        var replay = await check.RunAsync(store, request => request with { IsReplay = true, ContentHash = "edited" }).ConfigureAwait(false);
        RuleCheck.Require(!replay.IsUncertain, "a replay that is uncertain", "one that is not: the failure is known");
    }

    public static async Task What_is_done_stays_done_when_its_message_is_replayed(RuleCheck check)
    {
        var store = check.Open();
        await store.EndAsync(await check.LeaseAsync(store).ConfigureAwait(false), RuleCheck.Done, null, default).ConfigureAwait(false);

        var verdict = await check.AcquireAsync(store, request => request with { IsReplay = true }).ConfigureAwait(false);
        RuleCheck.Require<IdempotencyVerdict.Ended>(verdict, "it is done");
    }

    public static async Task A_key_that_is_let_go_of_is_unknown_again(RuleCheck check)
    {
        var store = check.Open();
        var lease = await check.LeaseAsync(store).ConfigureAwait(false);

        RuleCheck.Require(await store.EndAsync(lease, null, null, default).ConfigureAwait(false), "the end of a lease refused", "it to count");

        var again = await check.RunAsync(store, request => request with { ContentHash = "other" }).ConfigureAwait(false);
        RuleCheck.Require(!again.IsUncertain, "an uncertain key", "an unknown one");
    }

    public static async Task Other_content_never_runs_while_the_first_is_in_progress(RuleCheck check)
    {
        var store = check.Open();
        await check.LeaseAsync(store).ConfigureAwait(false);

        await RefusesOtherContentAsync(check, store).ConfigureAwait(false);
    }

    public static async Task Other_content_never_runs_after_the_first_is_done(RuleCheck check)
    {
        var store = check.Open();
        await store.EndAsync(await check.LeaseAsync(store).ConfigureAwait(false), RuleCheck.Done, null, default).ConfigureAwait(false);

        await RefusesOtherContentAsync(check, store).ConfigureAwait(false);
    }

    public static async Task Keys_of_two_consumers_are_two(RuleCheck check)
    {
        var store = check.Open();
        await check.LeaseAsync(store).ConfigureAwait(false);

        var other = RuleCheck.Key with { Consumer = "payments/AuditConsumer/Charge" };
        await check.RunAsync(store, request => request with { Key = other }).ConfigureAwait(false);
    }

    public static async Task Of_many_who_ask_at_once_one_runs(RuleCheck check)
    {
        var asked = Enumerable.Range(0, 16).Select(_ => Task.Run(() => check.AcquireAsync(check.Open())));
        var verdicts = await Task.WhenAll(asked).ConfigureAwait(false);

        RuleCheck.Require(verdicts.Count(verdict => verdict is IdempotencyVerdict.Run) == 1, string.Join(", ", verdicts.Select(one => one.GetType().Name)), "one that runs");
        RuleCheck.Require(verdicts.Count(verdict => verdict is IdempotencyVerdict.InProgress) == 15, "another verdict", "all others in progress");
    }

    public static async Task Keys_are_forgotten_after_the_retention_in_batches_but_none_that_runs(RuleCheck check)
    {
        var store = check.Open();
        foreach (var value in new[] { "1", "2", "3" })
        {
            await store.EndAsync(await check.LeaseAsync(store, value).ConfigureAwait(false), RuleCheck.Done, null, default).ConfigureAwait(false);
        }

        await check.RunAsync(store, request => request with { Lease = store.Retention * 2 }).ConfigureAwait(false);
        check.Time.Advance(store.Retention);
        await PrunesAsync(store, 0).ConfigureAwait(false);
        check.Time.Advance(TimeSpan.FromSeconds(1));
        await PrunesAsync(store, 2).ConfigureAwait(false);
        await PrunesAsync(store, 1).ConfigureAwait(false);
        await PrunesAsync(store, 0).ConfigureAwait(false);

        // the one that ran first has no lease and no retention left, either, some day
        check.Time.Advance(store.Retention * 2);
        await PrunesAsync(store, 1).ConfigureAwait(false);
    }

    private static async Task PrunesAsync(IIdempotencyStore store, int wanted)
    {
        var pruned = await store.PruneAsync(2, default).ConfigureAwait(false);
        RuleCheck.Require(pruned == wanted, $"{pruned} keys pruned", $"{wanted}");
    }

    private static async Task RefusesOtherContentAsync(RuleCheck check, IIdempotencyStore store)
    {
        var verdict = await check.AcquireAsync(store, request => request with { ContentHash = "other" }).ConfigureAwait(false);
        RuleCheck.Require<IdempotencyVerdict.OtherContent>(verdict, "the key has other content");
    }
}
