using Retry.Messaging.Testing;
using Retry.Messaging.Testing.Containers;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class ContainerBroker
{
    public static async Task Start()
    {
        await using var broker = await PrivateBroker.StartAsync(new PrivateBrokerOptions { Sources = { new RabbitMqContainerSource() } });
        _ = broker;
    }
}
