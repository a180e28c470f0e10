using Retry.Messaging.Testing;
using Xunit;

namespace Retry.Messaging.BrokerTests.Testing;

/// <summary>A node of our own for a test class, whatever RETRY_TEST_BROKER says.</summary>
public sealed class OwnNode : IAsyncLifetime
{
    public PrivateBroker Broker { get; private set; } = null!;

    public async Task InitializeAsync() => Broker = await PrivateBroker.StartAsync(new PrivateBrokerOptions { OwnNode = true });

    public async Task DisposeAsync() => await Broker.DisposeAsync();
}
