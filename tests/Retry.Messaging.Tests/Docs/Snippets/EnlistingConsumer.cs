using MassTransit;
using Retry.Messaging.Idempotency;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal interface IGateway
{
    Task<string> ChargeAsync(ChargeRequested request);
}

internal interface IBooks
{
    Task WriteAsync(IdempotencyTransaction transaction, string receipt);
}

internal sealed record PaymentCharged(string Receipt);

internal sealed class EnlistingConsumer(IGateway gateway, IBooks books) : IConsumer<ChargeRequested>
{
    public async Task Consume(ConsumeContext<ChargeRequested> context)
    {
        var receipt = await gateway.ChargeAsync(context.Message);           // what takes long, first

        var transaction = await context.EnlistAsync(context.CancellationToken);
        await books.WriteAsync(transaction, receipt);                       // its Connection and Transaction

        await context.RespondAsync(new PaymentCharged(receipt));
    }
}
