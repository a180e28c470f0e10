namespace Retry.Messaging.Testing;

/// <summary>A private node from a RabbitMQ that is installed here, or below a folder.</summary>
internal sealed class InstalledRabbitMqSource(BrokerEnvironment environment) : IBrokerSource
{
    // Another process may take a port between our look and the node's start.
    private const int PortTries = 3;

    public string Way =>
        $"install RabbitMQ (Debian: apt-get install rabbitmq-server; or run eng/ensure-rabbitmq.sh), or set {BrokerEnvironment.RabbitMqRootVariable}";

    public Task<string?> FindObstacleAsync(PrivateBrokerOptions options, CancellationToken cancellationToken)
    {
        var root = Root(options);
        var server = Path.Join(root, environment.ServerPath);
        return Task.FromResult(
            !OperatingSystem.IsLinux() ? "a private node runs on Linux only"
            : !ExistsBelow(root, environment.ServerPath) ? $"there is no {server}"
            : root is not null && !Environment.IsPrivilegedProcess ? $"running the RabbitMQ in {root} needs root (chroot)"
            : null);
    }

    public async Task<IBrokerNode> StartAsync(PrivateBrokerOptions options, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException(); // FindObstacleAsync says so first
        }

        for (var attempt = 1; ; attempt++)
        {
            var layout = ErlangNodeLayout.Create(options, Root(options), environment.ServerPath);
            var node = await ErlangNode.CreateAsync(layout, options.StartTimeout, cancellationToken).ConfigureAwait(false);
            try
            {
                await node.StartAsync(cancellationToken).ConfigureAwait(false);
                return node;
            }
            catch (BrokerUnavailableException exception) when (attempt < PortTries && exception.Message.Contains("eaddrinuse", StringComparison.Ordinal))
            {
                await node.DisposeAsync().ConfigureAwait(false);
            }
            catch
            {
                await node.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private string? Root(PrivateBrokerOptions options) => options.Root ?? environment.RabbitMqRoot;

    // Inside a root the server is a symbolic link with an absolute target at times: seen from outside it dangles.
    private static bool ExistsBelow(string? root, string path)
    {
        var file = new FileInfo(Path.Join(root, path));
        return file.Exists || file.LinkTarget is not null;
    }
}
