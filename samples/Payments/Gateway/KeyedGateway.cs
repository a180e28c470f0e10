namespace Payments.Gateway;

/// <summary>A gateway with idempotency keys: asked again with the same key, it gives the same answer. "Approved, and we do not know" is no trouble.</summary>
internal sealed class KeyedGateway(SimulatedBank bank) : IPaymentGateway
{
    public Task<long> AuthorizeAsync(ChargeRequested charge, CancellationToken cancellationToken) => bank.AuthorizeAsync(charge, key: charge.Reference, cancellationToken);

    public Task CaptureAsync(long authorization, CancellationToken cancellationToken) => bank.CaptureAsync(authorization, cancellationToken);

    public Task VoidAsync(long authorization, CancellationToken cancellationToken) => bank.VoidAsync(authorization, cancellationToken);
}
