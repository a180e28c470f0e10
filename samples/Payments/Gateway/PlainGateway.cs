namespace Payments.Gateway;

/// <summary>A gateway without idempotency keys: each call reserves the money once more. So it is asked first whether it has.</summary>
/// <remarks>Two who ask at once would both hear no. Here they cannot: an idempotent consumer runs once at a time for each payment.</remarks>
internal sealed class PlainGateway(SimulatedBank bank) : IPaymentGateway
{
    public async Task<long> AuthorizeAsync(ChargeRequested charge, CancellationToken cancellationToken) =>
        await bank.FindAsync(charge.Reference, cancellationToken) ?? await bank.AuthorizeAsync(charge, key: null, cancellationToken);

    public Task CaptureAsync(long authorization, CancellationToken cancellationToken) => bank.CaptureAsync(authorization, cancellationToken);

    public Task VoidAsync(long authorization, CancellationToken cancellationToken) => bank.VoidAsync(authorization, cancellationToken);
}
