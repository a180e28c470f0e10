using System.Globalization;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Payments.Running;
using Payments.Service;

namespace Payments.Shop;

/// <summary>The shops: they ask for charges at an even pace, some of them twice, and write each down before they do.</summary>
internal static class ChargeProducer
{
    /// <summary>The last line of the file, once all charges are published and confirmed.</summary>
    public const string End = "end";

    private const int OncePerIsNotSure = 20;

    private static readonly TimeSpan PauseAfterRefusal = TimeSpan.FromMilliseconds(500);

    public static async Task RunAsync(Run run, CancellationToken cancellationToken)
    {
        var builder = SampleHost.Create();
        builder.Services.AddTelemetry(Roles.Producer);
        builder.Services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.UsingRabbitMq((_, cfg) => cfg.Host(Run.Broker));
        });
        using var host = builder.Build();
        await host.StartAsync(cancellationToken);
        var bus = host.Services.GetRequiredService<IBus>();
        var logger = host.Services.GetRequiredService<ILogger<ChargeRequested>>();

        var books = new PaymentBooks(run.BooksFile);
        using var published = LineFile.Append(run.PublishedFile);
        long? started = null;
        for (var number = 1; run.IsEndless || number <= run.Payments; number++)
        {
            var charge = new ChargeRequested(
                Tenants.All[number % Tenants.All.Count],
                run.IdPrefix + (number / Tenants.All.Count).ToString("0000", CultureInfo.InvariantCulture),
                5 + (number % 90) + 0.99m);
            await published.WriteLineAsync(charge.Reference);
            books.Set(charge, PaymentState.Pending);
            await PublishAsync(bus, charge, logger, cancellationToken);
            if (IsAskedForTwice(number))
            {
                // as a shop does whose customer has pressed the button twice
                await PublishAsync(bus, charge, logger, cancellationToken);
            }

            // the first publish may have waited for the service; that is not to be caught up with
            started ??= TimeProvider.System.GetTimestamp();
            var ahead = (run.Pace * number) - TimeProvider.System.GetElapsedTime(started.Value);
            await Task.Delay(ahead > TimeSpan.Zero ? ahead : TimeSpan.Zero, cancellationToken);
        }

        await published.WriteLineAsync(End);
        await host.StopAsync(cancellationToken);
    }

    /// <summary>Whether the shops ask twice for a payment, so that one message of the two may get lost and nobody misses it.</summary>
    public static bool IsAskedForTwice(string reference) =>
        reference.Split('/') is [var tenant, var id]
        && int.TryParse(id.AsSpan(id.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && IsAskedForTwice((number * Tenants.All.Count) + Tenants.All.ToList().IndexOf(tenant));

    private static bool IsAskedForTwice(int number) => number % OncePerIsNotSure == 0;

    /// <summary>Publishes until the broker has confirmed that a queue has the message.</summary>
    private static async Task PublishAsync(IBus bus, ChargeRequested charge, ILogger logger, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                // mandatory: before the service has ever run, nothing is bound to the exchange, and a publish would vanish
                await bus.Publish(charge, context => context.GetPayload<RabbitMqSendContext>().Mandatory = true, cancellationToken);
                return;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                logger.LogWarning("{Payment} is published again in a moment: {Reason}", charge.Reference, exception.Message);
            }

            await Task.Delay(PauseAfterRefusal, cancellationToken);
        }
    }
}
