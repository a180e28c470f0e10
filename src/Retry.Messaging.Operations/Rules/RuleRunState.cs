namespace Retry.Messaging.Operations.Rules;

/// <summary>How far a run of a rule has come.</summary>
internal enum RuleRunState
{
    /// <summary>It is written down that it is to be; its plan may not have been made.</summary>
    Claimed,

    /// <summary>Its plan is made, and is carried out like any other.</summary>
    Begun,

    /// <summary>All messages of its plan were moved.</summary>
    Done,

    /// <summary>No message was to be replayed, so there is no plan.</summary>
    Nothing,

    /// <summary>Its plan was cancelled.</summary>
    Cancelled,

    /// <summary>No plan was made.</summary>
    GivenUp,

    /// <summary>Its plan ended, and what came of it is no longer known.</summary>
    Unknown,
}
