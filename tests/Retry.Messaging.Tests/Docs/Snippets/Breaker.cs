using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class WithBreaker
{
    public static void Configure(IReceiveEndpointConfigurator endpoint, IBusRegistrationContext context)
    {
        endpoint.UseGradientRetry(context, retry =>
        {
            retry.Exponential(first: TimeSpan.FromSeconds(5)).Retries(8);
            retry.Breaker();
        });
    }
}
