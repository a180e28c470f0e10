using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class WithDeliveryCap
{
    public static void Configure(IReceiveEndpointConfigurator endpoint, IBusRegistrationContext context) => endpoint.UseGradientRetry(context, retry =>
    {
        retry.LimitDelivery(perSecond: 50, burst: 5);
    });
}
