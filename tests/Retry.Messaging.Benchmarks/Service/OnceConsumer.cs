using MassTransit;
using Retry.Messaging.Benchmarks.Measuring;

namespace Retry.Messaging.Benchmarks.Service;

/// <summary>Takes parcels, and does nothing with them but, where it is told to, write one row in the store's transaction.</summary>
internal sealed class OnceConsumer(Tally tally, OnceConsumer.Work work) : IConsumer<Parcel>
{
    public async Task Consume(ConsumeContext<Parcel> context)
    {
        tally.Begin();
        if (work.IsEnlisted)
        {
            await OnceDatabase.WriteAsync(await context.EnlistAsync(context.CancellationToken), context.Message.Number);
        }
    }

    /// <summary>What it does.</summary>
    internal sealed record Work(bool IsEnlisted);
}
