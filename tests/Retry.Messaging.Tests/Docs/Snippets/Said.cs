using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal enum BankSays
{
    Charged,
    Declined,
    Busy,
    Closed,
}

internal interface IBank
{
    TimeSpan UntilItOpens { get; }

    Task<BankSays> ChargeAsync(ChargeRequested request);
}

internal sealed class SayingConsumer(IBank bank) : IConsumer<ChargeRequested>
{
    public async Task Consume(ConsumeContext<ChargeRequested> context)
    {
        switch (await bank.ChargeAsync(context.Message))
        {
            case BankSays.Declined:
                context.Fail("the card was declined");                        // parked as Failed
                break;
            case BankSays.Busy:
                context.Error("the bank is busy", TimeSpan.FromSeconds(30));  // again in 30 s; without a time, as the policy says
                break;
            case BankSays.Closed:
                context.Postpone(bank.UntilItOpens);                          // come back later, this is no failure
                break;
        }
    }
}
