namespace Retry.Messaging.RabbitMq.Telemetry;

/// <summary>Why a message goes up the ladder.</summary>
/// <param name="Name">As spans show it.</param>
/// <param name="ErrorType">The exception's type, where there was one.</param>
internal readonly record struct ClimbCause(string Name, string? ErrorType = null)
{
    /// <summary>Its consumer asked for it.</summary>
    public static readonly ClimbCause Asked = new("asked");

    /// <summary>It came before it was due.</summary>
    public static readonly ClimbCause Early = new("early");

    /// <summary>It is suspected of killing its consumer.</summary>
    public static readonly ClimbCause Suspected = new("suspected");

    /// <summary>It comes back later, though nothing failed: its consumer said so, or its key is in progress elsewhere.</summary>
    public static readonly ClimbCause Postponed = new("postponed");

    /// <summary>It came by before it was due, as its point wants it, and nobody has released it.</summary>
    public static readonly ClimbCause CameBy = new("came by");

    /// <summary>Whether its attempt ended with a time-out.</summary>
    public bool IsTimeout { get; private init; }

    /// <summary>Its attempt failed.</summary>
    public static ClimbCause Failed(Exception exception) => new("failed", exception.GetType().FullName) { IsTimeout = exception is TimeoutException };
}
