namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>What one dispatcher does.</summary>
/// <param name="Activity">What it does.</param>
/// <param name="Since">Since when.</param>
/// <param name="Reason">Why it is down; <see langword="null"/> where it is not.</param>
internal sealed record DispatchStatus(DispatchActivity Activity, DateTimeOffset Since, string? Reason);

/// <summary>What a dispatcher can do.</summary>
internal enum DispatchActivity
{
    /// <summary>It has no connection or no queue.</summary>
    Down,

    /// <summary>It is in line; as far as it knows another dispatches.</summary>
    StandingBy,

    /// <summary>It dispatches.</summary>
    Active,
}
