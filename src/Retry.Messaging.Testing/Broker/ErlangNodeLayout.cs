using System.Globalization;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Retry.Messaging.Testing;

/// <summary>Everything about a private node that is decided before it starts: directory, ports, files, environment, commands.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ErlangNodeLayout
{
    // In a mount namespace of its own, so that nothing is left mounted however the node ends. /mnt exists in every root.
    private const string EnterRoot = """
        root=$1; data=$2; shift 2
        mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --bind "$data" "$root/mnt" && exec chroot "$root" "$@"
        """;

    private ErlangNodeLayout(PrivateBrokerOptions options, string? root, string serverPath)
    {
        var ports = LoopbackPorts.Take(4);
        Directory = Path.Combine(Path.GetTempPath(), $"retry-broker-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
        ServerPath = serverPath;
        NodeName = (options.NodeName ?? $"retry{ports[0]}") + "@localhost";
        EpmdPort = options.EpmdPort ?? ports[3];
        Address = new BrokerAddress("127.0.0.1", ports[0], options.UserName, options.Password)
        {
            ManagementUri = new Uri($"http://127.0.0.1:{ports[1]}"),
        };

        var seen = root is null ? Directory : "/mnt";
        string[] environment =
        [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            $"HOME={seen}",
            $"RETRY_PRIVATE_BROKER={Directory}", // ours alone: says in /proc/PID/environ whose node this is, in a root too
            $"ERL_EPMD_PORT={EpmdPort}",
            "ERL_EPMD_ADDRESS=127.0.0.1",
            "ERL_CRASH_DUMP_SECONDS=0", // a dump would be deleted with the directory; writing it takes seconds
            $"RABBITMQ_NODENAME={NodeName}",
            $"RABBITMQ_MNESIA_BASE={seen}/data",
            $"RABBITMQ_LOG_BASE={seen}/log",
            $"RABBITMQ_DIST_PORT={ports[2]}",
            $"RABBITMQ_PID_FILE={seen}/pid",
            $"RABBITMQ_ENABLED_PLUGINS_FILE={seen}/enabled_plugins",
            $"RABBITMQ_CONF_ENV_FILE={seen}/rabbitmq-env.conf", // empty: the machine's own would change names and ports
            $"RABBITMQ_CONFIG_FILE={seen}/rabbitmq.conf",
            $"RABBITMQ_ADVANCED_CONFIG_FILE={seen}/advanced.config",
            $"RABBITMQ_GENERATED_CONFIG_DIR={seen}/generated",
            $"RABBITMQ_FEATURE_FLAGS_FILE={seen}/feature_flags",
            // +sbwt: Erlang's idle schedulers spin for more work, on the cores that the tests and what they test run on
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false +sbwt none +sbwtdcpu none +sbwtdio none",
            "RABBITMQ_CTL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
            "RABBITMQ_ALLOW_INPUT=1", // the script then becomes the Erlang VM instead of waiting for it: one process id
            "RABBITMQ_SERVER_START_ARGS=-noinput",
        ];
        Prefix = root is null
            ? ["/usr/bin/env", "-i", .. environment]
            : ["unshare", "--mount", "/bin/sh", "-c", EnterRoot, "enter", Path.GetFullPath(root), Directory, "/usr/bin/env", "-i", .. environment];
        WriteFiles(options, seen, ports);
    }

    public string Directory { get; }

    public string ServerPath { get; }

    public string NodeName { get; }

    public int EpmdPort { get; }

    public BrokerAddress Address { get; }

    /// <summary>Gets the command that runs another one in the node's environment.</summary>
    public IReadOnlyList<string> Prefix { get; }

    /// <summary>Chooses ports and a directory, and writes the node's files.</summary>
    public static ErlangNodeLayout Create(PrivateBrokerOptions options, string? root, string serverPath) => new(options, root, serverPath);

    /// <summary>Gives the command line of a tool that lies beside the server.</summary>
    public IReadOnlyList<string> Tool(string name, IReadOnlyList<string> arguments) =>
        [.. Prefix, $"{Path.GetDirectoryName(ServerPath)}/{name}", "--node", NodeName, .. arguments];

    private void WriteFiles(PrivateBrokerOptions options, string seen, IReadOnlyList<int> ports)
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        System.IO.Directory.CreateDirectory(Directory, OwnerOnly);
        foreach (var name in (string[])["data", "log", "generated"])
        {
            System.IO.Directory.CreateDirectory(Path.Combine(Directory, name));
        }

        List<string> configuration =
        [
            string.Create(CultureInfo.InvariantCulture, $"listeners.tcp.default = 127.0.0.1:{ports[0]}"),
            "management.tcp.ip = 127.0.0.1",
            string.Create(CultureInfo.InvariantCulture, $"management.tcp.port = {ports[1]}"),
            "log.console = false",
            "log.file.level = info",
            $"default_user = {options.UserName}",
            $"default_pass = {options.Password}",
        ];
        if (options.DefinitionsFile is { } definitions)
        {
            File.Copy(definitions, Path.Combine(Directory, "definitions.json"));
            configuration.Add($"load_definitions = {seen}/definitions.json");
        }

        Write("rabbitmq.conf", string.Join('\n', [.. configuration, .. options.ConfigurationLines, string.Empty]));
        Write("advanced.config", options.AdvancedConfig ?? PrivateBrokerOptions.DefaultAdvancedConfig + "\n");
        Write("enabled_plugins", $"[{string.Join(',', (string[])["rabbitmq_management", .. options.Plugins])}].\n");
        Write("rabbitmq-env.conf", string.Empty);
        Write(".erlang.cookie", options.Cookie ?? RandomNumberGenerator.GetHexString(32));

        // Erlang refuses a cookie that others can read.
        File.SetUnixFileMode(Path.Combine(Directory, ".erlang.cookie"), UnixFileMode.UserRead);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(Directory, name), text);
}
