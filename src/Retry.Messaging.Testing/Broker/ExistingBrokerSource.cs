namespace Retry.Messaging.Testing;

/// <summary>A virtual host of our own on the broker that RETRY_TEST_BROKER names.</summary>
internal sealed class ExistingBrokerSource(BrokerEnvironment environment) : IBrokerSource
{
    public string Way => $"set {BrokerEnvironment.TestBrokerVariable} to a broker's address (amqp://user:password@host:5672), with its management API";

    public Task<string?> FindObstacleAsync(PrivateBrokerOptions options, CancellationToken cancellationToken) => Task.FromResult(
        environment.TestBroker is null ? "it is not set"
        : options.NeedsOwnNode ? "it is set, but the options ask for a node of our own"
        : null);

    public async Task<IBrokerNode> StartAsync(PrivateBrokerOptions options, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(environment.TestBroker, UriKind.Absolute, out var uri) || uri.Scheme is not ("amqp" or "amqps"))
        {
            throw new BrokerUnavailableException($"{BrokerEnvironment.TestBrokerVariable} is not an address of the form amqp(s)://user:password@host:port.");
        }

        Uri? management = null;
        if (environment.TestManagement is not null && !Uri.TryCreate(environment.TestManagement, UriKind.Absolute, out management))
        {
            throw new BrokerUnavailableException($"{BrokerEnvironment.TestManagementVariable} is not an address of the form http(s)://host:port.");
        }

        var given = BrokerAddress.Parse(uri, management);
        var api = new ManagementApi(given.ManagementUri!, given.UserName, given.Password);
        var created = VirtualHostName.Next();
        try
        {
            // A virtual host in the address is not used, but queues in it say whose broker this is.
            if (uri.AbsolutePath.Length > 1)
            {
                await RefuseQueuesAsync(api, given, cancellationToken).ConfigureAwait(false);
            }

            await api.CreateVirtualHostAsync(created, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            api.Dispose();
            throw new BrokerUnavailableException(
                $"{BrokerEnvironment.TestBrokerVariable} is set, but the management API at {given.ManagementUri} made no virtual host for '{given.UserName}' " +
                $"({exception.Message}); tests work only in a virtual host that they made themselves, and AMQP can neither make nor inspect one. " +
                $"Enable rabbitmq_management, set {BrokerEnvironment.TestManagementVariable} if it is elsewhere, and use an administrator.",
                exception);
        }
        catch
        {
            api.Dispose();
            throw;
        }

        var address = given with { VirtualHost = created };
        try
        {
            _ = await BrokerHandshake.TryAsync(address, cancellationToken).ConfigureAwait(false)
                ?? throw new BrokerUnavailableException(
                    $"{BrokerEnvironment.TestBrokerVariable} names {given.Host}:{given.Port}, where nobody speaks AMQP. Check host, port and TLS (amqps).");
            return new ExistingBroker(address, api);
        }
        catch
        {
            await api.DeleteVirtualHostAsync(created, CancellationToken.None).ConfigureAwait(false);
            api.Dispose();
            throw;
        }
    }

    private static async Task RefuseQueuesAsync(ManagementApi api, BrokerAddress given, CancellationToken cancellationToken)
    {
        var queues = await api.ListQueuesAsync(given.VirtualHost, cancellationToken).ConfigureAwait(false);
        if (queues.Count > 0)
        {
            throw new BrokerUnavailableException(
                $"{BrokerEnvironment.TestBrokerVariable} names virtual host '{given.VirtualHost}', which has {queues.Count} queues ('{queues[0]}' is one); " +
                "tests want a broker where nothing can be lost. Leave the virtual host out of the address to have a fresh one made beside it, or name an empty one.");
        }
    }
}
