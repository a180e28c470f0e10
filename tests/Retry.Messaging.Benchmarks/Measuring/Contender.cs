namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>One side of a comparison.</summary>
/// <typeparam name="TSample">What a round of it yields.</typeparam>
/// <param name="Name">What it is called in the table.</param>
/// <param name="RunAsync">Runs one round.</param>
internal sealed record Contender<TSample>(string Name, Func<CancellationToken, Task<TSample>> RunAsync);
