namespace Payments;

/// <summary>A customer has ordered; the payment service is to take the money.</summary>
/// <param name="PaymentId">The shop's number of the payment.</param>
/// <param name="Amount">How much, in euros.</param>
public sealed record ChargeRequested(string PaymentId, decimal Amount);
