using System.Text.Json;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Operations.Verification;

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
        var policies = PoliciesIn(await TryGetAsync(QueueFactsReader.PoliciesOf(client), "policies").ConfigureAwait(false));
        var operatorPolicies = PoliciesIn(await TryGetAsync(QueueFactsReader.OperatorPoliciesOf(client), "operator policies").ConfigureAwait(false));
        var queues = await QueueFactsReader.ReadQueuesAsync(client, policies ?? [], operatorPolicies ?? [], cancellationToken).ConfigureAwait(false);
        var nodes = await TryGetAsync(
            "nodes?columns=name,running,config_files",
            "replicas, the spread of leaders and stopped nodes (the cluster's nodes)").ConfigureAwait(false);
        var flags = await TryGetAsync("feature-flags", "feature flags").ConfigureAwait(false);
        return new BrokerFacts
        {
            Version = overview.Text("rabbitmq_version") ?? "unknown",
            Exchanges = [.. exchanges.Items().Select(ReadExchange)],
            Queues = queues,
            Bindings = [.. bindings.Items().Select(binding => new BindingFact(
                binding.Text("source") ?? "",
                binding.Text("destination") ?? "",
                binding.Text("destination_type") == "queue",
                binding.Text("routing_key") ?? ""))],
            Policies = policies,
            Nodes = nodes is { } cluster ? NamesOf(cluster.Items()) : null,
            StoppedNodes = nodes is { } all ? NamesOf(all.Items().Where(node => !node.Flag("running"))) : [],
            NodesWithoutAdvancedConfig = nodes is { } some ? NamesOf(some.Items().Where(HasNoAdvancedConfig)) : [],
            FeatureFlags = flags is { } known ? known.Items().Where(flag => flag.Text("name") is not null).ToDictionary(
                flag => flag.Text("name")!,
                flag => flag.Text("state") == "enabled",
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

    private static IReadOnlyList<PolicyFact>? PoliciesIn(JsonElement? answer) => answer is { } json ? QueueFactsReader.ReadPolicies(json) : null;

    private static List<string> NamesOf(IEnumerable<JsonElement> nodes) => [.. nodes.Select(node => node.Text("name")).OfType<string>()];

    // a node that has just started has not told its files yet, which says nothing about them
    private static bool HasNoAdvancedConfig(JsonElement node) => node.Flag("running") && node.TryGetProperty("config_files", out _)
        && !node.Texts("config_files").Any(file => file.EndsWith(".config", StringComparison.Ordinal));

    private static ExchangeFact ReadExchange(JsonElement json) => new(json.Text("name") ?? "", json.Text("type") ?? "")
    {
        Durable = json.Flag("durable"),
        AutoDelete = json.Flag("auto_delete"),
        Internal = json.Flag("internal"),
        Arguments = json.Table("arguments"),
    };
}
