using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.InMemory;

/// <summary>A message that the in-memory transport parked.</summary>
/// <param name="Queue">The work queue it came from.</param>
/// <param name="State">Its id, attempts, reason and history.</param>
/// <param name="Body">Its body, as it was sent.</param>
/// <param name="Headers">Its headers, as they would be on a broker.</param>
/// <param name="Exception">What its last attempt threw.</param>
public sealed record InMemoryParkedMessage(
    string Queue,
    RetryState State,
    ReadOnlyMemory<byte> Body,
    IReadOnlyDictionary<string, object?> Headers,
    Exception Exception)
{
    /// <summary>The number of attempts whose outcome was recorded, as <c>retryctl parked list</c> counts them.</summary>
    public int Attempts => State.RecordedAttempts;

    /// <summary>Why it was parked.</summary>
    public ParkReason Reason => State.Reason ?? default;
}
