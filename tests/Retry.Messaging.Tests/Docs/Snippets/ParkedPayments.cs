using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal sealed class ParkedPayments(IParkingLot lot)
{
    public async Task ReplayAsync(CancellationToken cancellationToken)
    {
        var exhausted = ParkedFilter.All with { Reason = ParkReason.Exhausted };
        await foreach (var message in lot.ReplayAsync("payments", exhausted, cancellationToken: cancellationToken))
        {
            Console.WriteLine($"{message.Id} failed {message.Attempts} times: {message.Error}");
        }
    }
}
