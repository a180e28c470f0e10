namespace Retry.Messaging.Testing;

/// <summary>A virtual host of ours on somebody else's broker.</summary>
internal sealed class ExistingBroker(BrokerAddress address, ManagementApi api) : IBrokerNode
{
    public BrokerAddress Address => address;

    public bool IsOwnNode => false;

    // PrivateBroker refuses these before they are reached.
    public Task KillAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task StopAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RestartAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => throw new NotSupportedException();

    public async ValueTask DisposeAsync()
    {
        try
        {
            await api.DeleteVirtualHostAsync(address.VirtualHost, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            api.Dispose();
        }
    }
}
