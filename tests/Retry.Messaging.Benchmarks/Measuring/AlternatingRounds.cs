namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>Runs all sides in turn, round after round, so that what changes on the machine meanwhile meets them all.</summary>
internal static class AlternatingRounds
{
    /// <summary>Runs them.</summary>
    /// <param name="contenders">The sides; every second round takes them backwards.</param>
    /// <param name="rounds">How many rounds count. One more, the first, warms up and is thrown away.</param>
    /// <param name="report">Told what happens.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The samples of each side, round by round.</returns>
    public static async Task<IReadOnlyList<IReadOnlyList<TSample>>> RunAsync<TSample>(IReadOnlyList<Contender<TSample>> contenders, int rounds, Action<string> report, CancellationToken cancellationToken)
    {
        var samples = contenders.Select(_ => new List<TSample>()).ToArray();
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var side in round % 2 == 0 ? Enumerable.Range(0, contenders.Count) : Enumerable.Range(0, contenders.Count).Reverse())
            {
                cancellationToken.ThrowIfCancellationRequested();
                report($"{(round == 0 ? "warm-up" : $"round {round} of {rounds}")}: {contenders[side].Name}");
                var sample = await contenders[side].RunAsync(cancellationToken);
                if (round > 0)
                {
                    samples[side].Add(sample);
                }
            }
        }

        return samples;
    }
}
