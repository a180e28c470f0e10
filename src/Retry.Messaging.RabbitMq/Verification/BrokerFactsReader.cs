using System.Text.Json;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.RabbitMq.Verification;

/// <summary>Reads the facts over the management API.</summary>
internal static class BrokerFactsReader
{
    /// <summary>Reads what the user may see; what they may not is listed as not checked.</summary>
    /// <exception cref="ManagementException">The API is missing, or refuses what every user with a tag may see.</exception>
    public static async Task<BrokerFacts> ReadAsync(ManagementClient client, CancellationToken cancellationToken)
    {
        var notChecked = new List<NotChecked>();
        var vhost = client.VirtualHostSegment;
        var overview = await client.GetAsync("overview?columns=rabbitmq_version", cancellationToken).ConfigureAwait(false);
        var exchanges = await client.GetAsync(
            $"exchanges/{vhost}?columns=name,type,durable,auto_delete,internal,arguments",
            cancellationToken).ConfigureAwait(false);
        var bindings = await client.GetAsync(
            $"bindings/{vhost}?columns=source,destination,destination_type,routing_key",
            cancellationToken).ConfigureAwait(false);
        var policies = ReadPolicies(await TryGetAsync($"policies/{vhost}", "policies").ConfigureAwait(false));
        var operatorPolicies = ReadPolicies(await TryGetAsync($"operator-policies/{vhost}", "operator policies").ConfigureAwait(false));
        var queues = await ReadQueuesAsync(client, policies ?? [], operatorPolicies ?? [], cancellationToken).ConfigureAwait(false);
        var nodes = await TryGetAsync(
            "nodes?columns=name,running,config_files",
            "replicas, the spread of leaders and stopped nodes (the cluster's nodes)").ConfigureAwait(false);
        var flags = await TryGetAsync("feature-flags", "feature flags").ConfigureAwait(false);
        return new BrokerFacts
        {
            Version = Text(overview, "rabbitmq_version") ?? "unknown",
            Exchanges = [.. Items(exchanges).Select(ReadExchange)],
            Queues = queues,
            Bindings = [.. Items(bindings).Select(binding => new BindingFact(
                Text(binding, "source") ?? "",
                Text(binding, "destination") ?? "",
                Text(binding, "destination_type") == "queue",
                Text(binding, "routing_key") ?? ""))],
            Policies = policies,
            Nodes = nodes is { } cluster ? [.. Items(cluster).Select(node => Text(node, "name")).OfType<string>()] : null,
            StoppedNodes = nodes is { } all ? [.. Items(all).Where(node => !Flag(node, "running")).Select(node => Text(node, "name")).OfType<string>()] : [],
            // a node that has just started has not told its files yet, which says nothing about them
            NodesWithoutAdvancedConfig = nodes is { } some ? [.. Items(some).Where(node => Flag(node, "running") && node.TryGetProperty("config_files", out _)
                && !Texts(node, "config_files").Any(file => file.EndsWith(".config", StringComparison.Ordinal))).Select(node => Text(node, "name")).OfType<string>()] : [],
            FeatureFlags = flags is { } known ? Items(known).Where(flag => Text(flag, "name") is not null).ToDictionary(
                flag => Text(flag, "name")!,
                flag => Text(flag, "state") == "enabled",
                StringComparer.Ordinal) : null,
            NotChecked = notChecked,
        };

        async Task<JsonElement?> TryGetAsync(string path, string what)
        {
            try
            {
                return await client.GetAsync(path, cancellationToken).ConfigureAwait(false);
            }
            catch (ManagementException exception) when (exception.Problem is ManagementProblem.Forbidden or ManagementProblem.NotFound)
            {
                notChecked.Add(new NotChecked(what, exception.Message));
                return null;
            }
        }
    }

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
        return [.. Items(queues).Select(ReadQueue).Select(queue =>
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
        ReadPolicies(await client.GetAsync($"policies/{client.VirtualHostSegment}", cancellationToken).ConfigureAwait(false))!;

    /// <summary>Reads the operator policies of the virtual host.</summary>
    public static async Task<IReadOnlyList<PolicyFact>> ReadOperatorPoliciesAsync(ManagementClient client, CancellationToken cancellationToken) =>
        ReadPolicies(await client.GetAsync($"operator-policies/{client.VirtualHostSegment}", cancellationToken).ConfigureAwait(false))!;

    private static List<PolicyFact>? ReadPolicies(JsonElement? json) => json is { } list ? [.. Items(list).Select(ReadPolicy)] : null;

    private static ExchangeFact ReadExchange(JsonElement json) => new(Text(json, "name") ?? "", Text(json, "type") ?? "")
    {
        Durable = Flag(json, "durable"),
        AutoDelete = Flag(json, "auto_delete"),
        Internal = Flag(json, "internal"),
        Arguments = Table(json, "arguments"),
    };

    private static QueueFact ReadQueue(JsonElement json)
    {
        var arguments = Table(json, "arguments");
        return new QueueFact(Text(json, "name") ?? "", Text(json, "type") ?? arguments.GetValueOrDefault("x-queue-type")?.ToString() ?? PolicyKeys.ClassicType)
        {
            Durable = Flag(json, "durable"),
            AutoDelete = Flag(json, "auto_delete"),
            Exclusive = Flag(json, "exclusive"),
            Arguments = arguments,
            Policy = Text(json, "policy"),
            Leader = Text(json, "leader") ?? Text(json, "node"),
            Members = Texts(json, "members"),
            Online = Texts(json, "online"),
            State = Text(json, "state"),
        };
    }

    private static PolicyFact ReadPolicy(JsonElement json) => new(
        Text(json, "name") ?? "",
        Text(json, "pattern") ?? "",
        Text(json, "apply-to") ?? "all",
        json.TryGetProperty("priority", out var priority) && priority.TryGetInt32(out var number) ? number : 0,
        Table(json, "definition"));

    private static JsonElement.ArrayEnumerator Items(JsonElement json) => json.ValueKind == JsonValueKind.Array ? json.EnumerateArray() : default;

    // the API writes an absent text as "", null or leaves it out, depending on version and field
    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            && value.GetString() is { } text && (text.Length > 0 || name is "routing_key" or "source")
            ? text
            : null;

    private static bool Flag(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static IReadOnlyList<string> Texts(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? [.. Items(value).Select(item => item.GetString()).OfType<string>()] : [];

    // an empty table comes as [] from 3.10
    private static Dictionary<string, object?> Table(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object
            ? value.EnumerateObject().ToDictionary(item => item.Name, item => Value(item.Value), StringComparer.Ordinal)
            : [];

    private static object? Value(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number when json.TryGetInt64(out var number) => number,
        JsonValueKind.Number => json.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null => null,
        _ => json.GetRawText(),
    };
}
