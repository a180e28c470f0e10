namespace Retry.Messaging.Idempotency;

/// <summary>Settings that every store has.</summary>
public sealed class IdempotencyStoreOptions
{
    /// <summary>How long a key is remembered unless set.</summary>
    internal static readonly TimeSpan DefaultRetention = TimeSpan.FromDays(7);

    /// <summary>Gets or sets how long a key is remembered after its last change: 7 days unless set, more than zero.</summary>
    /// <remarks>A duplicate that comes later runs again. At least as long as a message may be retried, parked and replayed.</remarks>
    public TimeSpan Retention { get; set; } = DefaultRetention;
}
