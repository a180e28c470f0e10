using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Operations.Verification;

/// <summary>Gives a work queue the policy that it lacks, or says why not.</summary>
internal static class WorkQueuePolicyWriter
{
    /// <summary>Writes the policy where nothing else applies to the queue; touches nothing where something does.</summary>
    /// <exception cref="ManagementException">The API is missing, or the user may not look.</exception>
    public static async Task<WorkQueuePolicyResult> EnsureAsync(ManagementClient client, string workQueue, CancellationToken cancellationToken)
    {
        var policies = await QueueFactsReader.ReadPoliciesAsync(client, cancellationToken).ConfigureAwait(false);
        var operatorPolicies = await QueueFactsReader.ReadOperatorPoliciesAsync(client, cancellationToken).ConfigureAwait(false);
        var queues = await QueueFactsReader.ReadQueuesAsync(client, policies, operatorPolicies, cancellationToken).ConfigureAwait(false);
        if (queues.FirstOrDefault(queue => queue.Name == workQueue) is not { } queue)
        {
            return new WorkQueuePolicyResult(
                WorkQueuePolicyOutcome.NoQueue,
                null,
                $"Queue '{workQueue}' does not exist yet; its policy depends on its type. Run this again when its service has started.");
        }

        var result = Decide(queue, policies);
        if (result is not { Outcome: WorkQueuePolicyOutcome.Written, Policy: { } policy })
        {
            return result;
        }

        try
        {
            await client.PutAsync(
                $"policies/{client.VirtualHostSegment}/{Uri.EscapeDataString(policy.Name)}",
                policy.ToBody(),
                cancellationToken).ConfigureAwait(false);
            return result;
        }
        catch (ManagementException exception) when (exception.Problem == ManagementProblem.Forbidden)
        {
            return new WorkQueuePolicyResult(
                WorkQueuePolicyOutcome.NotAllowed,
                policy,
                $"Policy '{policy.Name}' for {queue.Type} queue '{queue.Name}' was not written: user '{client.User}' lacks the tag policymaker. Run this again as a user who has it, or let an administrator run:");
        }
    }

    /// <summary>Decides what to do about a queue.</summary>
    /// <param name="queue">The work queue.</param>
    /// <param name="policies">The virtual host's policies.</param>
    public static WorkQueuePolicyResult Decide(QueueFact queue, IReadOnlyList<PolicyFact> policies)
    {
        var needs = ParkingNeeds.Find(queue, isUnsetALimit: true);
        // a policy with the other half would lead where the argument says, under another key
        if (needs.FirstOrDefault(need => need is { IsArgument: true, Key: PolicyKeys.DeadLetterExchange or PolicyKeys.DeadLetterRoutingKey }) is { } way)
        {
            return new WorkQueuePolicyResult(
                WorkQueuePolicyOutcome.InTheWay,
                null,
                $"Queue '{queue.Name}' was declared with {PolicyKeys.Argument(way.Key)} '{EffectiveSettings.Text(queue, way.Key)}', wanted {way.Wanted}; no policy was written. {way.Obstacle} Then run this again.");
        }

        var obstacles = string.Join(' ', needs.Select(need => need.Obstacle).OfType<string>());
        var applied = policies.FirstOrDefault(policy => policy.Name == queue.Policy);
        var policy = WorkQueuePolicy.For(queue, applied);
        if (needs.All(need => need.Obstacle is not null))
        {
            return needs.Count == 0
                ? new WorkQueuePolicyResult(
                    WorkQueuePolicyOutcome.AlreadyThere,
                    policy,
                    $"Queue '{queue.Name}' has all that the policy would set.",
                    IsDone: true)
                : new WorkQueuePolicyResult(
                    WorkQueuePolicyOutcome.InTheWay,
                    policy,
                    $"Queue '{queue.Name}': found {string.Join(", ", needs.Select(need => need.Found))}, wanted {string.Join(", ", needs.Select(need => need.Wanted))}, which no policy can set. {obstacles}");
        }

        // a policy that another team made first stays, also when a stale one of ours stands behind it
        var isOurs = applied is null ? queue.Policy is null : applied.Name == policy.Name;
        var rest = obstacles.Length == 0 ? "" : $" A policy alone is not enough. {obstacles}";
        return isOurs
            ? new WorkQueuePolicyResult(
                WorkQueuePolicyOutcome.Written,
                policy,
                $"Wrote policy '{policy.Name}' for queue '{queue.Name}': {policy.DefinitionJson}{(rest.Length == 0 ? "" : ".")}{rest}",
                IsDone: rest.Length == 0)
            : new WorkQueuePolicyResult(
                WorkQueuePolicyOutcome.Merged,
                policy,
                $"Policy '{queue.Policy}' applies to queue '{queue.Name}' already, and a queue can have only one, so nothing was changed.{rest} The policy below is for this queue alone and holds what both set{Replaced(applied, policy)}. Read it, then run it:");
    }

    private static string Replaced(PolicyFact? applied, WorkQueuePolicy policy)
    {
        var replaced = applied?.Definition.Where(item => policy.Definition.TryGetValue(item.Key, out var value)
            && value?.ToString() != item.Value?.ToString()).Select(item => $"{item.Key} '{item.Value}'").ToList() ?? [];
        return replaced.Count == 0 ? "" : $", but replaces {string.Join(", ", replaced)}";
    }
}
