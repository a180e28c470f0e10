using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Payments.Gateway;
using Payments.Running;

namespace Payments.Service;

/// <summary>The payment service. This is the file to read: all that graded retry and idempotent consumers need stands here.</summary>
internal static class PaymentService
{
    /// <summary>The work queue; its parking lot is called payments.parked.</summary>
    public const string Queue = "payments";

    /// <summary>What the gateway bears on top of new payments, from all instances of this service together.</summary>
    public const int RetriesPerSecond = 40;

    public static async Task RunAsync(Run run, CancellationToken cancellationToken)
    {
        var host = SampleHost.Create();
        host.Services.AddTelemetry(Roles.Consumer);
        host.Services.AddSingleton(run);
        host.Services.AddSingleton(TimeProvider.System);
        host.Services.AddSingleton(run.Outage);
        host.Services.AddSingleton(new BankBooks(run.BankFile));
        host.Services.AddSingleton<SimulatedBank>();
        host.Services.AddSingleton<Gateways>();
        host.Services.AddSingleton(new PaymentBooks(run.BooksFile));
        host.Services.AddSingleton<AttemptFile>();

        // Which messages are done, in the database of the books: both are committed together.
        host.Services.AddSqliteIdempotency(PaymentBooks.ConnectionString(run.BooksFile));
        host.Services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.AddConsumer<ChargeConsumer>();
            x.AddGradientRetry();
            x.UsingRabbitMq((context, cfg) =>
            {
                cfg.Host(Run.Broker);
                cfg.ReceiveEndpoint(Queue, e =>
                {
                    e.SetQuorumQueue();
                    e.UseGradientRetry(context, retry =>
                    {
                        // Whatever no line names is an error: an attempt may help. The first delays are short, to fit into a minute.
                        retry.Exponential(first: TimeSpan.FromMilliseconds(500), factor: 2, max: TimeSpan.FromSeconds(8)).Retries(6);

                        // A gateway that does not answer is an error too.
                        retry.AttemptTimeout(TimeSpan.FromSeconds(2));

                        // After the outage everything comes due at once; the gateway gets it back at a pace that it bears.
                        retry.LimitRedelivery(RetriesPerSecond);

                        // Where we know better than the general rule. (A 503 or 429 with Retry-After needs no line: it is obeyed.)
                        retry.For<GatewayBusyException>(busy => busy.Intervals("500ms", "1s", "2s", "4s"));
                    });

                    // A shop that asks twice, and a message that comes twice, are one payment.
                    e.UseIdempotency(context, once => once.KeyedBy<ChargeRequested>(charge => charge.Reference));
                    e.ConfigureConsumer<ChargeConsumer>(context);
                });
            });
        });
        await host.Build().RunAsync(cancellationToken);
    }
}
