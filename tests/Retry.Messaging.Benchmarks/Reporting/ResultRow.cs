using Retry.Messaging.Benchmarks.Measuring;

namespace Retry.Messaging.Benchmarks.Reporting;

/// <summary>One row of a table.</summary>
/// <param name="Name">Which side, in which situation.</param>
/// <param name="Figures">Its figures; a column appears where any row has it.</param>
internal sealed record ResultRow(string Name, IReadOnlyList<Figure> Figures)
{
    /// <summary>The row of a side of which whole rounds were sampled.</summary>
    public static ResultRow Of(string name, IReadOnlyList<Sample> samples, IReadOnlyList<Sample>? baseline = null)
    {
        List<Figure> figures = [Rate(samples)];
        if (baseline is not null)
        {
            figures.Add(Figure.Ratio("x baseline", Rate(samples), Rate(baseline)));
        }

        figures.Add(Client(samples));
        if (samples.All(sample => sample.BrokerMicroseconds is not null))
        {
            figures.Add(new Figure("broker µs each", [.. samples.Select(sample => sample.BrokerMicroseconds!.Value)]));
        }

        return new ResultRow(name, figures);
    }

    public static Figure Rate(IReadOnlyList<Sample> samples) => new("messages/s", [.. samples.Select(sample => sample.PerSecond)]);

    public static Figure Client(IReadOnlyList<Sample> samples) => new("client µs each", [.. samples.Select(sample => sample.ClientMicroseconds)], 1);

    /// <summary>The others' share of the machine over many samples, in percent.</summary>
    public static Figure? Others(IEnumerable<Sample> samples) =>
        samples.Select(sample => sample.OthersShare).OfType<double>().ToArray() is { Length: > 0 } shares
            ? new Figure("others %", [.. shares.Select(share => 100 * share)])
            : null;
}
