namespace Payments.Gateway;

/// <summary>The company that talks to the banks. Whoever is not sure what it has answered asks again, and gets the same answer.</summary>
internal interface IPaymentGateway
{
    /// <summary>Reserves the amount on the customer's card, once for each payment.</summary>
    /// <returns>The number of the authorization.</returns>
    /// <exception cref="CardDeclinedException">The bank said no; asking again would not change that.</exception>
    /// <exception cref="GatewayBusyException">The gateway wants to be left alone for a moment.</exception>
    /// <exception cref="GatewayClosedException">The gateway is closed, and says for how long.</exception>
    /// <exception cref="HttpRequestException">An HTTP status that is no success, or no answer at all.</exception>
    Task<long> AuthorizeAsync(ChargeRequested charge, CancellationToken cancellationToken);

    /// <summary>Takes the money that is reserved; once, however often it is called.</summary>
    Task CaptureAsync(long authorization, CancellationToken cancellationToken);

    /// <summary>Lets the money go that is reserved.</summary>
    Task VoidAsync(long authorization, CancellationToken cancellationToken);
}
