namespace Payments.Gateway;

/// <summary>What can go wrong at the gateway.</summary>
internal enum TroubleKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>No answer at all, until the caller gives up.</summary>
    NoAnswer,

    /// <summary>503 with Retry-After.</summary>
    Unavailable,

    /// <summary>429 with Retry-After.</summary>
    TooManyRequests,

    /// <summary>The gateway's own "busy", without a time.</summary>
    Busy,

    /// <summary>The bank says no.</summary>
    Declined,

    /// <summary>500: this customer's bank is down.</summary>
    BankDown,
}
