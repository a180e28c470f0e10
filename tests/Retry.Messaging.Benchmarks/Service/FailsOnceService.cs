using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Configuration;
using Retry.Messaging.Ladder;

namespace Retry.Messaging.Benchmarks.Service;

/// <summary>A service whose handler fails each parcel at its first attempt and takes it at its second.</summary>
internal static class FailsOnceService
{
    /// <summary>Starts it with graded retry.</summary>
    public static Task<BusHost> StartAsync(Uri broker, string queue, ushort prefetch, Action<RetryPointBuilder> retry, Tally tally, CancellationToken cancellationToken) =>
        BusHost.StartAsync(
            broker,
            withRetry: true,
            (registration, cfg) => cfg.ReceiveEndpoint(queue, e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = prefetch;
                e.UseGradientRetry(registration, retry);
                e.Handler<Parcel>(parcel => TakeAsync(parcel, parcel.GetRedeliveryCount() > 0, tally));
            }),
            cancellationToken);

    /// <summary>
    /// Starts it with the least that a retry with MassTransit can be: the handler catches its own exception and publishes the original bytes and
    /// properties to the ladder; no policy, no state, no Fault. What it costs more than the raw loop is MassTransit's.
    /// </summary>
    public static Task<BusHost> StartByHandAsync(Uri broker, string queue, ushort prefetch, LadderRoute route, IChannel publishing, Tally tally, CancellationToken cancellationToken) =>
        BusHost.StartAsync(
            broker,
            withRetry: false,
            (_, cfg) => cfg.ReceiveEndpoint(queue, e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = prefetch;
                e.Handler<Parcel>(async parcel =>
                {
                    var delivery = parcel.ReceiveContext.GetPayload<RabbitMqBasicConsumeContext>();
                    try
                    {
                        await TakeAsync(parcel, delivery.Exchange.Length > 0, tally);
                    }
                    catch (ParcelFailedException)
                    {
                        // the channel waits for the confirm
                        await publishing.BasicPublishAsync(route.Exchange, route.RoutingKey, mandatory: true, new BasicProperties(delivery.Properties), parcel.ReceiveContext.Body.GetBytes(), parcel.CancellationToken);
                    }
                });
            }),
            cancellationToken);

    /// <summary>Starts it with MassTransit's retry in memory, which holds the message and its place in the prefetch window meanwhile.</summary>
    public static Task<BusHost> StartInMemoryAsync(Uri broker, string queue, ushort prefetch, TimeSpan delay, Tally tally, CancellationToken cancellationToken) =>
        BusHost.StartAsync(
            broker,
            withRetry: false,
            (_, cfg) => cfg.ReceiveEndpoint(queue, e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = prefetch;
                e.UseMessageRetry(retry => retry.Interval(1, delay));
                e.Handler<Parcel>(parcel => TakeAsync(parcel, parcel.GetRetryAttempt() > 0, tally));
            }),
            cancellationToken);

    private static Task TakeAsync(ConsumeContext<Parcel> parcel, bool isRetry, Tally tally)
    {
        tally.Begin();
        if (!isRetry)
        {
            throw new ParcelFailedException();
        }

        tally.Done(parcel.Message.Number);
        return Task.CompletedTask;
    }
}
