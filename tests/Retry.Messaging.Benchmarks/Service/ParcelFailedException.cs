namespace Retry.Messaging.Benchmarks.Service;

/// <summary>What a handler throws at the first attempt.</summary>
internal sealed class ParcelFailedException() : Exception("The gateway did not answer in time.");
