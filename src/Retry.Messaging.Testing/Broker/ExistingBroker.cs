using System.Collections.Concurrent;

namespace Retry.Messaging.Testing;

/// <summary>Virtual hosts of ours on somebody else's broker.</summary>
internal sealed class ExistingBroker : IBrokerNode
{
    private readonly ManagementApi _api;
    private readonly ConcurrentBag<string> _virtualHosts = [];

    public ExistingBroker(BrokerAddress address, string version, ManagementApi api)
    {
        (Address, Version, _api) = (address, version, api);
        _virtualHosts.Add(address.VirtualHost);
    }

    public BrokerAddress Address { get; }

    public string Version { get; }

    public bool IsOwnNode => false;

    public int? ProcessId => null;

    public string? DataDirectory => null;

    public async Task<Uri> CreateVirtualHostAsync(CancellationToken cancellationToken)
    {
        var name = VirtualHostName.Next();
        _virtualHosts.Add(name);
        await _api.CreateVirtualHostAsync(name, cancellationToken).ConfigureAwait(false);
        return (Address with { VirtualHost = name }).AmqpUri;
    }

    // PrivateBroker refuses these before they are reached.
    public Task KillAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task StopAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RestartAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => throw new NotSupportedException();

    public async ValueTask DisposeAsync()
    {
        try
        {
            while (_virtualHosts.TryTake(out var name))
            {
                await _api.DeleteVirtualHostAsync(name, CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            _api.Dispose();
        }
    }
}
