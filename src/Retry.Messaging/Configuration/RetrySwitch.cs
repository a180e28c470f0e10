namespace Retry.Messaging.Configuration;

/// <summary>What an operator has a whole point do with what fails, while its service runs.</summary>
internal enum RetrySwitch
{
    /// <summary>It is retried, as the policy says.</summary>
    On,

    /// <summary>It climbs, and waits in the release queue until the point is on again; fresh messages run.</summary>
    Paused,

    /// <summary>It is parked at once.</summary>
    Off,
}
