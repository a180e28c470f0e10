namespace Retry.Messaging.Benchmarks.Running;

/// <summary>What was measured did not do its work, so its figures mean nothing.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
