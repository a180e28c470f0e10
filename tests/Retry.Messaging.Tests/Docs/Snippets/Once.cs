using MassTransit;
using Microsoft.Extensions.DependencyInjection;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal static class Once
{
    public static void Configure(IServiceCollection services, IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator cfg)
    {
        services.AddSqliteIdempotency("Data Source=/var/lib/shop/shop.db");     // package Retry.Messaging.Idempotency.Sqlite

        cfg.ReceiveEndpoint("payments", e =>
        {
            e.UseIdempotency(context, once =>
            {
                once.KeyedBy<ChargeRequested>(message => message.PaymentId);    // unless told: the message id
            });
            e.ConfigureConsumer<ChargeConsumer>(context);
        });
    }
}
