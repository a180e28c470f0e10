using Retry.Messaging.State;

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
    Exception Exception);
