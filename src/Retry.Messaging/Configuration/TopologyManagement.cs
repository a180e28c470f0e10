namespace Retry.Messaging.Configuration;

/// <summary>What a starting service does about the ladder on the broker.</summary>
public enum TopologyManagement
{
    /// <summary>Declares what is missing.</summary>
    OnStart = 0,

    /// <summary>Declares nothing, and says what is missing.</summary>
    Verify,

    /// <summary>Does not look.</summary>
    Never,
}
