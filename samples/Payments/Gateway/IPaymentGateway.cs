namespace Payments.Gateway;

/// <summary>The company that talks to the banks.</summary>
internal interface IPaymentGateway
{
    /// <summary>Takes the money, or throws.</summary>
    /// <exception cref="CardDeclinedException">The bank said no; asking again would not change that.</exception>
    /// <exception cref="GatewayBusyException">The gateway wants to be left alone for a moment.</exception>
    /// <exception cref="Retry.Messaging.Http.HttpFailureException">An HTTP status that is no success, with its Retry-After.</exception>
    Task ChargeAsync(ChargeRequested charge, CancellationToken cancellationToken);
}
