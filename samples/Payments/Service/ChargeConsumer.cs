using MassTransit;
using Payments.Gateway;

namespace Payments.Service;

/// <summary>Takes the money. What it throws decides what becomes of the message: <see cref="PaymentService"/> holds the rules.</summary>
internal sealed class ChargeConsumer(IPaymentGateway gateway, AttemptFile attempts, TimeProvider time) : IConsumer<ChargeRequested>
{
    public async Task Consume(ConsumeContext<ChargeRequested> context)
    {
        var attempt = Attempt.Of(context, time.GetUtcNow());
        try
        {
            await gateway.ChargeAsync(context.Message, context.CancellationToken);
        }
        catch (Exception exception)
        {
            attempts.Write(attempt with { Outcome = exception.GetType().Name });
            throw;
        }

        attempts.Write(attempt with { Outcome = Attempt.Done });
    }
}
