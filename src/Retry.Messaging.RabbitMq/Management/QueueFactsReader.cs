using System.Text.Json;

namespace Retry.Messaging.RabbitMq.Management;

/// <summary>Reads the queues of a virtual host, and the policies on them.</summary>
internal static class QueueFactsReader
{
    /// <summary>Reads the queues, and what the policies that the broker names on them set.</summary>
    /// <remarks>
    /// Without statistics: with them, a queue's policy is the one of its last report, up to five seconds old, and a policy that was
    /// just written looks missing. What a policy sets is only in the statistics, so it is put together here.
    /// </remarks>
    public static async Task<IReadOnlyList<QueueFact>> ReadQueuesAsync(
        ManagementClient client,
        IReadOnlyList<PolicyFact> policies,
        IReadOnlyList<PolicyFact> operatorPolicies,
        CancellationToken cancellationToken)
    {
        var queues = await client.GetAsync($"queues/{client.VirtualHostSegment}?disable_stats=true", cancellationToken).ConfigureAwait(false);
        return [.. queues.Items().Select(ReadQueue).Select(queue =>
        {
            var policy = policies.FirstOrDefault(policy => policy.Name == queue.Policy);
            var operators = operatorPolicies.Where(policy => policy.AppliesTo(queue)).MaxBy(policy => policy.Priority);
            return queue with
            {
                OperatorPolicy = operators?.Name,
                OperatorDefinition = operators?.Definition ?? new Dictionary<string, object?>(),
                EffectivePolicy = EffectiveSettings.Merge(policy?.Definition, operators?.Definition),
            };
        })];
    }

    /// <summary>Reads the policies of the virtual host.</summary>
    public static async Task<IReadOnlyList<PolicyFact>> ReadPoliciesAsync(ManagementClient client, CancellationToken cancellationToken) =>
        ReadPolicies(await client.GetAsync(PoliciesOf(client), cancellationToken).ConfigureAwait(false));

    /// <summary>Reads the operator policies of the virtual host.</summary>
    public static async Task<IReadOnlyList<PolicyFact>> ReadOperatorPoliciesAsync(ManagementClient client, CancellationToken cancellationToken) =>
        ReadPolicies(await client.GetAsync(OperatorPoliciesOf(client), cancellationToken).ConfigureAwait(false));

    /// <summary>Where the policies are.</summary>
    public static string PoliciesOf(ManagementClient client) => $"policies/{client.VirtualHostSegment}";

    /// <summary>Where the operator policies are.</summary>
    public static string OperatorPoliciesOf(ManagementClient client) => $"operator-policies/{client.VirtualHostSegment}";

    /// <summary>Reads policies from what the API answered.</summary>
    public static IReadOnlyList<PolicyFact> ReadPolicies(JsonElement json) => [.. json.Items().Select(ReadPolicy)];

    private static QueueFact ReadQueue(JsonElement json)
    {
        var arguments = json.Table("arguments");
        return new QueueFact(json.Text("name") ?? "", json.Text("type") ?? arguments.GetValueOrDefault("x-queue-type")?.ToString() ?? PolicyKeys.ClassicType)
        {
            Durable = json.Flag("durable"),
            AutoDelete = json.Flag("auto_delete"),
            Exclusive = json.Flag("exclusive"),
            Arguments = arguments,
            Policy = json.Text("policy"),
            Leader = json.Text("leader") ?? json.Text("node"),
            Members = json.Texts("members"),
            Online = json.Texts("online"),
            State = json.Text("state"),
        };
    }

    private static PolicyFact ReadPolicy(JsonElement json) => new(
        json.Text("name") ?? "",
        json.Text("pattern") ?? "",
        json.Text("apply-to") ?? "all",
        json.TryGetProperty("priority", out var priority) && priority.TryGetInt32(out var number) ? number : 0,
        json.Table("definition"));
}
