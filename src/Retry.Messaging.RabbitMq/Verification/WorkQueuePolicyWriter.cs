using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.RabbitMq.Verification;

/// <summary>Gives a work queue the policy that it lacks, or says why not.</summary>
internal static class WorkQueuePolicyWriter
{
    /// <summary>Writes the policy where nothing else applies to the queue; touches nothing where something does.</summary>
    /// <exception cref="ManagementException">The API is missing, or the user may not write policies.</exception>
    public static async Task<WorkQueuePolicyResult> EnsureAsync(ManagementClient client, string workQueue, CancellationToken cancellationToken)
    {
        var policies = await BrokerFactsReader.ReadPoliciesAsync(client, cancellationToken).ConfigureAwait(false);
        // operator policies set limits; none of them can dead-letter
        var queues = await BrokerFactsReader.ReadQueuesAsync(client, policies, [], cancellationToken).ConfigureAwait(false);
        if (queues.FirstOrDefault(queue => queue.Name == workQueue) is not { } queue)
        {
            return new WorkQueuePolicyResult(WorkQueuePolicyOutcome.NoQueue, null, $"Queue '{workQueue}' does not exist yet; its policy depends on its type. Run this again when its service has started.");
        }

        var result = Decide(queue, policies);
        if (result is { Outcome: WorkQueuePolicyOutcome.Written, Policy: { } policy })
        {
            await client.PutAsync($"policies/{client.VirtualHostSegment}/{Uri.EscapeDataString(policy.Name)}", policy.ToBody(), cancellationToken).ConfigureAwait(false);
        }

        return result;
    }

    /// <summary>Decides what to do about a queue.</summary>
    /// <param name="queue">The work queue.</param>
    /// <param name="policies">The virtual host's policies.</param>
    public static WorkQueuePolicyResult Decide(QueueFact queue, IReadOnlyList<PolicyFact> policies)
    {
        var applied = policies.FirstOrDefault(policy => policy.Name == queue.Policy);
        var policy = WorkQueuePolicy.For(queue, applied);
        foreach (var (key, value) in policy.Definition)
        {
            if (queue.Arguments.GetValueOrDefault(PolicyKeys.Argument(key)) is { } argument
                && key is PolicyKeys.DeadLetterExchange or PolicyKeys.DeadLetterRoutingKey
                && argument.ToString() != value?.ToString())
            {
                return new WorkQueuePolicyResult(WorkQueuePolicyOutcome.InTheWay, null, $"Queue '{queue.Name}' was declared with {PolicyKeys.Argument(key)} '{argument}', wanted '{value}'; an argument wins over every policy, so none was written. Declare the queue without it, or bind the parking lot '{BrokerNames.ParkedQueue(queue.Name)}' to where it leads.");
            }
        }

        // the policy of whoever came first stays, also when a stale one of ours stands behind it
        var isOurs = applied is null ? queue.Policy is null : applied.Name == policy.Name;
        if (policy.Definition.All(wanted => IsMet(queue, wanted.Key, wanted.Value)))
        {
            return new WorkQueuePolicyResult(WorkQueuePolicyOutcome.AlreadyThere, policy, $"Queue '{queue.Name}' has all that the policy would set.");
        }

        return isOurs
            ? new WorkQueuePolicyResult(WorkQueuePolicyOutcome.Written, policy, $"Wrote policy '{policy.Name}' for queue '{queue.Name}': {policy.DefinitionJson}")
            : new WorkQueuePolicyResult(WorkQueuePolicyOutcome.Merged, policy, $"Policy '{queue.Policy}' applies to queue '{queue.Name}' already, and only one can; nothing was changed. This one for the queue alone holds what both set{Replaced(applied, policy)}; read it, then run it:");
    }

    private static bool IsMet(QueueFact queue, string key, object? wanted) => key == PolicyKeys.DeliveryLimit
        ? EffectiveSettings.Limit(queue, key) is >= WorkQueuePolicy.DeliveryLimit or -1
        : queue.EffectivePolicy.TryGetValue(key, out var found) && found?.ToString() == wanted?.ToString() || EffectiveSettings.Text(queue, key) == wanted?.ToString();

    private static string Replaced(PolicyFact? applied, WorkQueuePolicy policy)
    {
        var replaced = applied?.Definition.Where(item => policy.Definition.TryGetValue(item.Key, out var value) && value?.ToString() != item.Value?.ToString()).Select(item => $"{item.Key} '{item.Value}'").ToList() ?? [];
        return replaced.Count == 0 ? "" : $", but replaces {string.Join(", ", replaced)}";
    }
}
