using MassTransit;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Configuration;

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
