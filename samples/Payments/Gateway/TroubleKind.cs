namespace Payments.Gateway;

/// <summary>What can go wrong at the gateway.</summary>
internal enum TroubleKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>No answer at all, until the caller gives up.</summary>
    NoAnswer,

    /// <summary>Approved, but the answer is lost: the gateway knows of it, and we do not.</summary>
    AnswerLost,

    /// <summary>Closed for maintenance, and says for how long.</summary>
    Closed,

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
