namespace Retry.Messaging.Operations.Verification;

/// <summary>A setting that a work queue lacks for the broker to park what it drops itself.</summary>
/// <param name="Key">The policy key.</param>
/// <param name="Found">What is there.</param>
/// <param name="Wanted">What should be.</param>
/// <param name="Obstacle">Why a policy cannot set it, with what to do; <see langword="null"/> where one can.</param>
/// <param name="IsArgument">Whether the obstacle is an argument of the queue.</param>
internal sealed record ParkingNeed(string Key, string Found, string Wanted, string? Obstacle, bool IsArgument);
