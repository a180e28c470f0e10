using Microsoft.Extensions.DependencyInjection;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class LotsOfTheirOwn
{
    public static void Register(Microsoft.Extensions.Hosting.HostApplicationBuilder builder)
    {
        builder.Services.AddRetryParkingLot("amqp://user:password@host/vhost");
        builder.Services.AddRetryOperations("amqp://user:password@host/vhost");    // carries out what retryctl --detach and retryctl rules leave
    }
}
