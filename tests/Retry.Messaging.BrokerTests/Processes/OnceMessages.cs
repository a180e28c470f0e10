namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>The messages of <see cref="OnceConsumer"/>. Public, because MassTransit takes a type that nobody sees for a temporary one.</summary>
public static class OnceMessages
{
    public sealed record Charge(string PaymentId, decimal Amount);

    public sealed record Charged(string Receipt);

    public sealed record Booked(string Entry);
}
