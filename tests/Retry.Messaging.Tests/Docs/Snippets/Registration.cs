using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class Registration
{
    public static void Register(Microsoft.Extensions.Hosting.HostApplicationBuilder builder)
    {
        builder.Services.AddMassTransit(x =>
        {
            x.AddConsumer<ChargeConsumer>();
            x.AddGradientRetry();                 // every durable endpoint is a retry point now
            x.UsingRabbitMq((context, cfg) =>
            {
                cfg.Host("localhost");
                cfg.ConfigureEndpoints(context);
            });
        });
    }

    public static void Configure(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator cfg)
    {
        cfg.ReceiveEndpoint("payments", e =>
        {
            e.UseGradientRetry(context, retry =>
            {
                retry.Exponential(first: TimeSpan.FromSeconds(5), factor: 3, max: TimeSpan.FromHours(1)).Retries(8);
                retry.ValidFor(TimeSpan.FromHours(24));
                retry.Fail<CardDeclinedException>();
                retry.For<GatewayBusyException>(busy => busy.Intervals("30s", "2m", "10m"));
            });
            e.ConfigureConsumer<ChargeConsumer>(context);
        });
    }

    public static void Disable(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator cfg)
    {
        cfg.ReceiveEndpoint("audit", e =>
        {
            e.DisableGradientRetry();             // as plain MassTransit makes it, with audit_error
            e.ConfigureConsumer<ChargeConsumer>(context);
        });
    }

    public static void ForMessage(IBusRegistrationContext context, IRabbitMqReceiveEndpointConfigurator e)
    {
        e.UseGradientRetry(context, retry =>
        {
            retry.Retries(8);
            retry.ForMessage<IUrgent>(urgent => urgent.Intervals("1s", "5s", "30s"));
        });
    }
}

// in a consumer definition the same stands on the endpoint
internal sealed class ChargeConsumerDefinition : ConsumerDefinition<ChargeConsumer>
{
    public ChargeConsumerDefinition() => EndpointName = "payments";

    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpointConfigurator,
        IConsumerConfigurator<ChargeConsumer> consumerConfigurator,
        IRegistrationContext context) =>
        endpointConfigurator.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromSeconds(30)).Retries(5));
}
