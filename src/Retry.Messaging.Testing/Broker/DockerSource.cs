using System.Globalization;
using System.Security.Cryptography;

namespace Retry.Messaging.Testing;

/// <summary>A container of the official image, by the docker command.</summary>
internal sealed class DockerSource(BrokerEnvironment environment) : IBrokerSource
{
    // The same tag as in docker-compose.yml: the oldest 4.x that the ladder was measured on.
    private const string Image = "rabbitmq:4.0.5-management";

    private static readonly TimeSpan InfoDeadline = TimeSpan.FromSeconds(10);

    // The first run pulls the image.
    private static readonly TimeSpan RunDeadline = TimeSpan.FromMinutes(5);

    public string Way => "install Docker and start it";

    public async Task<string?> FindObstacleAsync(PrivateBrokerOptions options, CancellationToken cancellationToken)
    {
        if (options.Root is not null)
        {
            return "the options ask for the RabbitMQ in a folder";
        }

        var (exitCode, output) = await CommandLine.RunAsync([environment.DockerCommand, "info"], InfoDeadline, cancellationToken).ConfigureAwait(false);
        return exitCode == 0 ? null : $"'{environment.DockerCommand} info' says: {LastLine(output)}";
    }

    public async Task<IBrokerNode> StartAsync(PrivateBrokerOptions options, CancellationToken cancellationToken)
    {
        var ports = LoopbackPorts.Take(2);
        var name = $"retry-broker-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        var directory = Path.Combine(Path.GetTempPath(), name);
        var address = new BrokerAddress("127.0.0.1", ports[0], options.UserName, options.Password)
        {
            ManagementUri = new Uri($"http://127.0.0.1:{ports[1]}"),
        };

        // The guard comes before the container: an owner that is killed while the image is pulled leaves nothing behind.
        WriteFiles(directory, options);
        var guard = await NodeGuard.StartAsync("container-guard.sh", directory, [environment.DockerCommand, name], cancellationToken).ConfigureAwait(false);
        var node = new DockerNode(environment.DockerCommand, name, directory, address, guard, options.StartTimeout);
        try
        {
            await node.DockerAsync(RunArguments(name, directory, ports, options), RunDeadline, cancellationToken).ConfigureAwait(false);
            await node.WaitUntilReadyAsync(cancellationToken).ConfigureAwait(false);
            return node;
        }
        catch
        {
            await node.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // Not --rm: a killed container would be removed with its data, and the guard removes it in every case.
    private static string[] RunArguments(string name, string directory, int[] ports, PrivateBrokerOptions options) =>
    [
        "run", "--detach", "--name", name, "--hostname", options.NodeName ?? "retry",
        "--publish", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ports[0]}:5672"),
        "--publish", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ports[1]}:15672"),
        "--volume", $"{directory}/90-private.conf:/etc/rabbitmq/conf.d/90-private.conf:ro",
        "--volume", $"{directory}/advanced.config:/etc/rabbitmq/advanced.config:ro",
        "--volume", $"{directory}/enabled_plugins:/etc/rabbitmq/enabled_plugins:ro",
        .. options.DefinitionsFile is null ? Array.Empty<string>() : ["--volume", $"{directory}/definitions.json:/etc/rabbitmq/definitions.json:ro"],
        .. options.Cookie is null ? Array.Empty<string>() : ["--env", $"RABBITMQ_ERLANG_COOKIE={options.Cookie}"],
        Image,
    ];

    private static void WriteFiles(string directory, PrivateBrokerOptions options)
    {
        Directory.CreateDirectory(directory);
        List<string> configuration = [$"default_user = {options.UserName}", $"default_pass = {options.Password}"];
        if (options.DefinitionsFile is { } definitions)
        {
            File.Copy(definitions, Path.Combine(directory, "definitions.json"));
            configuration.Add("load_definitions = /etc/rabbitmq/definitions.json");
        }

        File.WriteAllText(Path.Combine(directory, "90-private.conf"), string.Join('\n', [.. configuration, .. options.ConfigurationLines, string.Empty]));
        File.WriteAllText(Path.Combine(directory, "advanced.config"), options.AdvancedConfig ?? PrivateBrokerOptions.DefaultAdvancedConfig + "\n");
        File.WriteAllText(
            Path.Combine(directory, "enabled_plugins"),
            $"[{string.Join(',', (string[])["rabbitmq_management", "rabbitmq_prometheus", .. options.Plugins])}].\n");
    }

    private static string LastLine(string output) => output.TrimEnd().Split('\n')[^1];
}
