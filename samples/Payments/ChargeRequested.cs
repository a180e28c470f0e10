namespace Payments;

/// <summary>A customer has ordered; the payment service is to take the money.</summary>
/// <param name="Tenant">The shop that asks: <see cref="Shop.Tenants"/>.</param>
/// <param name="PaymentId">That shop's number of the payment. Another shop may have the same.</param>
/// <param name="Amount">How much, in euros.</param>
public sealed record ChargeRequested(string Tenant, string PaymentId, decimal Amount)
{
    /// <summary>Gets the name of the payment among those of all shops: its idempotency key, here and at the gateways.</summary>
    public string Reference => $"{Tenant}/{PaymentId}";
}
