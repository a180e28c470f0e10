namespace Retry.Messaging.Operations.Plans;

/// <summary>Messages of which a cancelled plan may have sent copies, and that are still parked.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Keys">What they are known by.</param>
internal sealed record DoubtfulKeys(string Plan, byte[] Keys);
