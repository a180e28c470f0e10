using Retry.Messaging.Testing;

namespace Retry.Messaging.Benchmarks.Running;

/// <summary>What a benchmark runs with.</summary>
/// <param name="Broker">The broker of this run.</param>
/// <param name="Rounds">How many rounds count.</param>
/// <param name="AskedMessages">How many messages a round has, where somebody asked for a number.</param>
/// <param name="Report">Told what happens.</param>
internal sealed record BenchmarkContext(PrivateBroker Broker, int Rounds, int? AskedMessages, Action<string> Report)
{
    /// <summary>Gets how many messages a round has.</summary>
    public int Messages(int usual) => AskedMessages ?? usual;
}
