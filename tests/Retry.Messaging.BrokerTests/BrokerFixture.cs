using RabbitMQ.Client;
using Retry.Messaging.Testing;
using Retry.Messaging.Testing.Containers;
using Xunit;

namespace Retry.Messaging.BrokerTests;

/// <summary>One broker for a test collection; each test class, or test, makes a virtual host of its own in it.</summary>
/// <remarks>Tests that kill or configure a broker start one of their own with <see cref="PrivateBrokerOptions.OwnNode"/>.</remarks>
public sealed class BrokerFixture : IAsyncLifetime
{
    // a broker that hands out a million messages answers late; the client's own 20 s are too few
    private static readonly TimeSpan MostForAnAnswer = TimeSpan.FromMinutes(2);

    private PrivateBroker? _broker;

    public PrivateBroker Broker => _broker ?? throw new InvalidOperationException("The fixture has not been started; xUnit does it for classes in the broker collection.");

    public async Task InitializeAsync() => _broker = await PrivateBroker.StartAsync(new PrivateBrokerOptions { Sources = { new RabbitMqContainerSource() } });

    public async Task DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }
    }

    /// <summary>Makes a fresh virtual host, in some milliseconds, and returns its address with user and password.</summary>
    public Task<Uri> CreateVirtualHostAsync() => Broker.CreateVirtualHostAsync();

    /// <summary>Connects a plain client, for looking at queues without MassTransit.</summary>
    public static Task<IConnection> ConnectAsync(Uri virtualHost) =>
        new ConnectionFactory { Uri = virtualHost, AutomaticRecoveryEnabled = false, ContinuationTimeout = MostForAnAnswer }.CreateConnectionAsync("broker test");
}
