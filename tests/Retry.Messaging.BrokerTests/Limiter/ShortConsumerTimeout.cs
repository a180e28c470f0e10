using Retry.Messaging.Testing;
using Xunit;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>A node that cuts off a channel that holds a delivery for seconds instead of half an hour.</summary>
public sealed class ShortConsumerTimeout : IAsyncLifetime
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public PrivateBroker Broker { get; private set; } = null!;

    public async Task InitializeAsync() => Broker = await PrivateBroker.StartAsync(new PrivateBrokerOptions
    {
        OwnNode = true,
        ConfigurationLines = { $"consumer_timeout = {Timeout.TotalMilliseconds:0}" },
        // channels look at their oldest delivery once a minute otherwise
        AdvancedConfig = "[{rabbit, [{channel_tick_interval, 1000}]}].",
    });

    public async Task DisposeAsync() => await Broker.DisposeAsync();
}
