using MassTransit;
using Microsoft.Extensions.DependencyInjection;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class Start
{
    public static void Wait(Microsoft.Extensions.Hosting.HostApplicationBuilder builder)
    {
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(options => options.WaitUntilStarted = true);
    }
}
