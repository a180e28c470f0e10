using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class Scheduler
{
    public static void Add(Microsoft.Extensions.Hosting.HostApplicationBuilder builder)
    {
builder.Services.AddMassTransit(x =>
{
    x.AddGradientScheduler();             // what delays waits on the ladder now
    x.UsingRabbitMq((context, cfg) =>
    {
        cfg.Host("localhost");
        cfg.ConfigureEndpoints(context);
    });
});
    }
}
