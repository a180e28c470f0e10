using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class Recurring
{
    public static void Add(Microsoft.Extensions.Hosting.HostApplicationBuilder builder)
    {
builder.Services.AddMassTransit(x =>
{
    x.AddGradientScheduler();
    x.AddRecurring("nightly-report", "0 2 * * *", new MakeReport(), recurring =>
    {
        recurring.TimeZone = "Europe/Berlin";
        recurring.Destination = new Uri("queue:reports");   // without it, it is published
    });
    x.UsingRabbitMq((context, cfg) => cfg.ConfigureEndpoints(context));
});
    }

    private sealed record MakeReport;
}
