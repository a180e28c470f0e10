namespace Payments.Service;

/// <summary>How far a payment is: Pending, Processing, Authorized, Completed, if nothing comes in between.</summary>
internal enum PaymentState
{
    /// <summary>Asked for, and not looked at.</summary>
    Pending,

    /// <summary>The gateway is being asked, or has been by a process that died.</summary>
    Processing,

    /// <summary>The money is reserved.</summary>
    Authorized,

    /// <summary>The gateway is closed; asked again when it opens.</summary>
    PendingOffline,

    /// <summary>The gateway did not answer, or not well; asked again, or parked.</summary>
    GatewayError,

    /// <summary>Something else went wrong; tried again, or parked.</summary>
    Error,

    /// <summary>Charged. Nothing changes after this one, nor after the next two.</summary>
    Completed,

    /// <summary>The bank said no.</summary>
    Declined,

    /// <summary>We said no, and let go what was reserved.</summary>
    Voided,
}
