namespace Retry.Messaging.Idempotency.Sqlite;

/// <summary>Settings of the store in SQLite.</summary>
public sealed class SqliteIdempotencyOptions
{
    /// <summary>Gets or sets how long a key is remembered after its last change: 7 days unless set, more than zero.</summary>
    /// <remarks>A duplicate that comes later runs again. At least as long as a message may be retried, parked and replayed.</remarks>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);
}
