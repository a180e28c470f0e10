using Retry.Messaging.Configuration;
using Retry.Messaging.Policies;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What an operator has set for a point: a whole document, never a change to one.</summary>
/// <remarks>It wins over the code's settings, on every instance, until it is cleared.</remarks>
public sealed record LimiterSetting
{
    /// <summary>Gets the work queue.</summary>
    public required string Point { get; init; }

    /// <summary>Gets the number of the document; each is one higher than the one it was made from. Zero: nothing was ever set.</summary>
    public long Version { get; init; }

    /// <summary>Gets the messages per second, or null for what the code says.</summary>
    public double? PerSecond { get; init; }

    /// <summary>Gets how many may go at once after a pause, or null for what the code says.</summary>
    public int? Burst { get; init; }

    /// <summary>Gets a value indicating whether nothing is released.</summary>
    public bool Paused { get; init; }

    /// <summary>Gets who set it.</summary>
    public string? By { get; init; }

    /// <summary>Gets when it was set.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Applies the document to what the code says.</summary>
    /// <returns>The rate in force, or null for any rate.</returns>
    public RedeliveryLimit? Over(RedeliveryLimit? code) => PerSecond is { } perSecond
        ? new RedeliveryLimit(perSecond, Burst ?? code?.Burst ?? RetryDefaults.Burst)
        : code is not null && Burst is { } burst ? code with { Burst = burst } : code;
}
