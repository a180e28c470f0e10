using System.Text;
using MassTransit;
using RabbitMQ.Client;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>One time that a charge is sent.</summary>
/// <param name="Charge">The charge.</param>
/// <param name="MessageId">The message's own id.</param>
/// <param name="RequestId">The request that is to be answered.</param>
internal sealed record LedgerDelivery(LedgerMessages.Charge Charge, Guid MessageId, Guid RequestId)
{
    public const string ReplyExchange = "ledger-replies";

    /// <summary>Draws the deliveries of so many charges: each one to five times, half of them close to each other, the others anywhere.</summary>
    /// <remarks>Every second charge is repeated by its broker, under one message id; the others are sent once more by their senders, under new ones.</remarks>
    public static IReadOnlyList<LedgerDelivery> Draw(int charges, bool failing, Random random)
    {
        var deliveries = new List<(double Place, LedgerDelivery Delivery)>();
        for (var number = 0; number < charges; number++)
        {
            var charge = new LedgerMessages.Charge($"pay-{number:00000}", random.Next(1, 100_00), failing ? random.Next(1, 4) : 0);
            var id = Guid.NewGuid();
            for (var times = random.Next(1, 6); times > 0; times--)
            {
                var place = random.Next(2) == 0 ? number + random.Next(8) : random.NextDouble() * charges;
                deliveries.Add((place, new LedgerDelivery(charge, number % 2 == 0 ? id : Guid.NewGuid(), Guid.NewGuid())));
            }
        }

        return [.. deliveries.OrderBy(one => one.Place).Select(one => one.Delivery)];
    }

    public (byte[] Body, BasicProperties Properties) AsMessage() =>
    (
        Encoding.UTF8.GetBytes(
            $$"""
            {"messageId":"{{MessageId:D}}","requestId":"{{RequestId:D}}","responseAddress":"exchange:{{ReplyExchange}}",
            "messageType":["{{MessageUrn.ForTypeString<LedgerMessages.Charge>()}}"],
            "message":{"paymentId":"{{Charge.PaymentId}}","cents":{{Charge.Cents}},"failures":{{Charge.Failures}} } }
            """),
        new BasicProperties { MessageId = MessageId.ToString("D"), ContentType = "application/vnd.masstransit+json", DeliveryMode = DeliveryModes.Persistent });
}
