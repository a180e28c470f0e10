using Retry.Messaging.Configuration;
using Retry.Messaging.Idempotency;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>Finds what is wrong with the idempotency of an endpoint.</summary>
internal static class IdempotencyCheck
{
    /// <summary>The findings.</summary>
    /// <param name="queue">The endpoint.</param>
    /// <param name="settings">What was said.</param>
    /// <param name="store">The store, if there is one.</param>
    /// <param name="rules">The rules of the retry point.</param>
    public static IEnumerable<RetryFinding> Findings(string queue, IdempotencySettings settings, IIdempotencyStore? store, RetryRules rules)
    {
        var path = $"{queue}:Idempotency";
        if (store is null)
        {
            yield return new RetryFinding(path, "found UseIdempotency, but no store. Add this line: services.AddSqliteIdempotency(\"Data Source=/path/to/file.db\"), or AddPostgreSqlIdempotency.");
            yield break;
        }

        if (settings.Lease < TimeSpan.FromSeconds(1) || settings.Lease > TimeSpan.FromDays(1))
        {
            yield return new RetryFinding(path, $"found a lease of {settings.Lease}, wanted one from 1 second to 1 day: longer than a process may stand still. Type once.Lease(time).");
        }

        if (store.Retention < rules.ValidForMessage())
        {
            yield return new RetryFinding(path, $"found a retention of {store.Retention} and messages that are valid for {rules.ValidForMessage()}, wanted a longer retention: a duplicate that comes after it runs again. Set Retention where the store is added, or a shorter ValidFor.");
        }
    }
}
