using MassTransit;
using Payments.Gateway;

namespace Payments.Service;

/// <summary>Takes the money. What it throws or says decides what becomes of the message: <see cref="PaymentService"/> holds the rules.</summary>
internal sealed class ChargeConsumer(Gateways gateways, PaymentBooks books, AttemptFile attempts, TimeProvider time) : IConsumer<ChargeRequested>
{
    public async Task Consume(ConsumeContext<ChargeRequested> context)
    {
        var charge = context.Message;
        var attempt = Attempt.Of(context, time.GetUtcNow());
        PaymentState state;
        try
        {
            state = await PayAsync(context, gateways.Of(charge.Tenant));
        }
        catch (Exception exception)
        {
            books.Set(charge, exception is HttpRequestException or OperationCanceledException or GatewayBusyException ? PaymentState.GatewayError : PaymentState.Error);
            attempts.Write(attempt with { Outcome = exception.GetType().Name });
            throw;
        }

        // what takes long is over. This commits when we return, together with the mark that the message is done
        PaymentBooks.Enter(await context.EnlistAsync(context.CancellationToken), charge, state);
        attempts.Write(attempt with { Outcome = state == PaymentState.Completed ? Attempt.Done : state.ToString() });
    }

    private async Task<PaymentState> PayAsync(ConsumeContext<ChargeRequested> context, IPaymentGateway gateway)
    {
        var charge = context.Message;
        books.Set(charge, PaymentState.Processing);
        try
        {
            // if it was approved before and we do not know, it is the same approval
            var authorization = await gateway.AuthorizeAsync(charge, context.CancellationToken);
            books.Set(charge, PaymentState.Authorized);
            if (FraudCheck.Suspects(charge))
            {
                await gateway.VoidAsync(authorization, context.CancellationToken);
                context.Fail("our fraud check holds it back");
                return PaymentState.Voided;
            }

            await gateway.CaptureAsync(authorization, context.CancellationToken);
            return PaymentState.Completed;
        }
        catch (CardDeclinedException declined)
        {
            context.Fail(declined.Message);
            return PaymentState.Declined;
        }
        catch (GatewayClosedException closed)
        {
            context.Postpone(closed.OpensIn);
            return PaymentState.PendingOffline;
        }
    }
}
