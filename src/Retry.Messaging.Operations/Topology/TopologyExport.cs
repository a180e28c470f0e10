using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Topology;

/// <summary>Writes a plan as RabbitMQ definitions, in the order of the plan, the same bytes for the same plan.</summary>
/// <remarks>
/// Bindings to queues that the plan does not declare (work queues, which belong to their services) are left out: a broker
/// aborts an import at the first binding whose queue is missing. The service makes them when it starts.
/// </remarks>
internal static class TopologyExport
{
    private const string HashingAlgorithm = "rabbit_password_hashing_sha256";
    private const string Administrator = "administrator";
    private const int SaltBytes = 4;

    // The default user's salt is fixed, so that the file is the same every time; its password is public anyway.
    private static readonly byte[] DefaultSalt = [0x72, 0x65, 0x74, 0x72];

    /// <summary>Definitions for any one virtual host: <c>POST /api/definitions/VHOST</c>.</summary>
    /// <param name="plan">What to write.</param>
    /// <returns>JSON, indented by two spaces, ending with a newline.</returns>
    public static string ToVirtualHost(TopologyPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return Write(json => WriteObjects(json, plan, virtualHost: null));
    }

    /// <summary>Definitions that an empty broker boots from (<c>load_definitions</c>): with virtual host, user and permissions.</summary>
    /// <param name="plan">What to write.</param>
    /// <param name="account">The administrator to create; <see cref="BootAccount.Default"/> is RabbitMQ's own guest.</param>
    /// <param name="virtualHost">The virtual host to create.</param>
    /// <returns>JSON, indented by two spaces, ending with a newline.</returns>
    public static string ToBoot(TopologyPlan plan, BootAccount account, string virtualHost = "/")
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(account);
        ArgumentException.ThrowIfNullOrEmpty(virtualHost);
        return Write(json =>
        {
            json.WriteStartArray("vhosts");
            json.WriteStartObject();
            json.WriteString("name", virtualHost);
            json.WriteEndObject();
            json.WriteEndArray();

            json.WriteStartArray("users");
            json.WriteStartObject();
            json.WriteString("name", account.User);
            json.WriteString("password_hash", Hash(account.Password, account.IsDefault ? DefaultSalt : RandomNumberGenerator.GetBytes(SaltBytes)));
            json.WriteString("hashing_algorithm", HashingAlgorithm);
            json.WriteStartArray("tags");
            json.WriteStringValue(Administrator);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();

            json.WriteStartArray("permissions");
            json.WriteStartObject();
            json.WriteString("user", account.User);
            json.WriteString("vhost", virtualHost);
            json.WriteString("configure", ".*");
            json.WriteString("write", ".*");
            json.WriteString("read", ".*");
            json.WriteEndObject();
            json.WriteEndArray();

            WriteObjects(json, plan, virtualHost);
        });
    }

    /// <summary>Names the queues that the plan binds but does not declare, so that an export cannot contain their bindings.</summary>
    /// <param name="plan">The plan.</param>
    public static IReadOnlyList<string> BoundElsewhere(TopologyPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var own = OwnQueues(plan);
        return [.. plan.Bindings.Where(binding => binding.ToQueue && !own.Contains(binding.Destination)).Select(binding => binding.Destination).Distinct()];
    }

    private static HashSet<string> OwnQueues(TopologyPlan plan) => [.. plan.Queues.Select(queue => queue.Name)];

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        // relaxed: the file is no HTML, and '+' in a hash stays readable
        using (var json = new Utf8JsonWriter(
            buffer,
            new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void WriteObjects(Utf8JsonWriter json, TopologyPlan plan, string? virtualHost)
    {
        json.WriteStartArray("exchanges");
        foreach (var exchange in plan.Exchanges)
        {
            json.WriteStartObject();
            json.WriteString("name", exchange.Name);
            WriteVirtualHost(json, virtualHost);
            json.WriteString("type", exchange.Type);
            json.WriteBoolean("durable", true);
            json.WriteBoolean("auto_delete", false);
            json.WriteBoolean("internal", false);
            WriteArguments(json, exchange.Arguments);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("queues");
        foreach (var queue in plan.Queues)
        {
            json.WriteStartObject();
            json.WriteString("name", queue.Name);
            WriteVirtualHost(json, virtualHost);
            json.WriteBoolean("durable", true);
            json.WriteBoolean("auto_delete", false);
            WriteArguments(json, queue.Arguments);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("bindings");
        var own = OwnQueues(plan);
        foreach (var binding in plan.Bindings.Where(binding => !binding.ToQueue || own.Contains(binding.Destination)))
        {
            json.WriteStartObject();
            json.WriteString("source", binding.Source);
            WriteVirtualHost(json, virtualHost);
            json.WriteString("destination", binding.Destination);
            json.WriteString("destination_type", binding.ToQueue ? "queue" : "exchange");
            json.WriteString("routing_key", binding.RoutingKey);
            json.WriteStartObject("arguments");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteVirtualHost(Utf8JsonWriter json, string? virtualHost)
    {
        if (virtualHost is not null)
        {
            json.WriteString("vhost", virtualHost);
        }
    }

    private static void WriteArguments(Utf8JsonWriter json, IReadOnlyDictionary<string, object?> arguments)
    {
        json.WritePropertyName("arguments");
        JsonSerializer.Serialize(json, arguments);
    }

    // base64(salt + sha256(salt + password)), as RabbitMQ documents it
    private static string Hash(string password, byte[] salt) =>
        Convert.ToBase64String([.. salt, .. SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(password)])]);
}
