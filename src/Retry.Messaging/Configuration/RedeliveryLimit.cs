namespace Retry.Messaging.Configuration;

/// <summary>How fast retries may flow back into a work queue, over all instances together.</summary>
/// <param name="PerSecond">Messages per second; 1/3600 (one an hour) or more.</param>
/// <param name="Burst">How many may go at once after a pause; 1 or more.</param>
public sealed record RedeliveryLimit(double PerSecond, int Burst);
