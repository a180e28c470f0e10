namespace Retry.Messaging.Idempotency.Testing;

/// <summary>What every store must do, whatever it is made of: one rule a test.</summary>
/// <remarks>
/// With xUnit, for example:
/// <code>
/// public static TheoryData&lt;string&gt; Rules => [.. StoreRules.Names];
///
/// [Theory, MemberData(nameof(Rules))]
/// public Task It_keeps_the_rule(string rule) => StoreRules.CheckAsync(rule, new MyStoreUnderTest());
/// </code>
/// </remarks>
public static class StoreRules
{
    private static readonly Dictionary<string, Func<RuleCheck, Task>> Rules =
        ((Func<RuleCheck, Task>[])[
            KeyRules.A_key_runs_once_and_is_answered_with_what_was_kept,
            KeyRules.A_failure_is_remembered_until_an_operator_replays_its_message,
            KeyRules.What_is_done_stays_done_when_its_message_is_replayed,
            KeyRules.A_key_that_is_let_go_of_is_unknown_again,
            KeyRules.Other_content_never_runs_while_the_first_is_in_progress,
            KeyRules.Other_content_never_runs_after_the_first_is_done,
            KeyRules.Keys_of_two_consumers_are_two,
            KeyRules.Of_many_who_ask_at_once_one_runs,
            KeyRules.Keys_are_forgotten_after_the_retention_in_batches_but_none_that_runs,
            LeaseRules.A_running_key_tells_the_rest_of_its_lease,
            LeaseRules.A_lease_that_ran_out_is_taken_over_and_known_to_be_uncertain,
            LeaseRules.A_lease_that_is_renewed_is_not_taken_over,
            LeaseRules.A_lease_that_was_taken_over_is_not_renewed_nor_one_that_has_ended,
            LeaseRules.Of_many_who_take_over_at_once_one_runs,
            LeaseRules.A_token_never_comes_again,
            LeaseRules.A_late_end_counts_where_nobody_took_over,
            TransactionRules.Who_slept_beyond_its_lease_commits_nothing,
            TransactionRules.The_consumers_writes_commit_with_the_end_or_not_at_all,
            TransactionRules.Of_two_who_wrote_the_one_that_fails_is_undone_alone,
            TransactionRules.Who_ends_at_the_same_time_commits_each_its_own,
            TransactionRules.A_transaction_that_is_over_touches_none_that_came_after_it,
            TransactionRules.A_transaction_that_somebody_has_ended_does_not_count,
        ]).ToDictionary(rule => rule.Method.Name.Replace('_', ' '));

    /// <summary>Gets the rules, as sentences.</summary>
    public static IReadOnlyCollection<string> Names => Rules.Keys;

    /// <summary>Checks one rule.</summary>
    /// <param name="rule">One of <see cref="Names"/>.</param>
    /// <param name="store">The store, without a key.</param>
    /// <exception cref="StoreRuleException">The store does not keep it.</exception>
    /// <exception cref="ArgumentException">There is no such rule.</exception>
    public static Task CheckAsync(string rule, IStoreUnderTest store)
    {
        ArgumentNullException.ThrowIfNull(rule);
        ArgumentNullException.ThrowIfNull(store);
        return Rules.TryGetValue(rule, out var check)
            ? check(new RuleCheck(store))
            : throw new ArgumentException($"Found the rule '{rule}', wanted one of StoreRules.Names.", nameof(rule));
    }
}
