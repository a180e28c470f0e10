namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>The messages of <see cref="LedgerConsumer"/>. Public, because MassTransit takes a type that nobody sees for a temporary one.</summary>
public static class LedgerMessages
{
    /// <param name="PaymentId">The key.</param>
    /// <param name="Cents">How much.</param>
    /// <param name="Failures">How many attempts of a delivery fail before one succeeds.</param>
    public sealed record Charge(string PaymentId, long Cents, int Failures);

    public sealed record Charged(string PaymentId, string Receipt);

    public sealed record Booked(string PaymentId, string Entry);
}
