using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class WithRetryBudget
{
    public static void Configure(IReceiveEndpointConfigurator endpoint, IBusRegistrationContext context) => endpoint.UseGradientRetry(context, retry =>
    {
        retry.AttemptTimeout(TimeSpan.FromSeconds(2));
        retry.RetryBudget(share: 0.2, floorPerSecond: 1);
    });
}
