namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>One figure of one side, with the value of every round: the median counts, minimum and maximum say how much it is worth.</summary>
/// <param name="Name">What it is, with its unit.</param>
/// <param name="Values">One value for each round.</param>
/// <param name="Decimals">How many decimals are shown.</param>
internal sealed record Figure(string Name, IReadOnlyList<double> Values, int Decimals = 0)
{
    public double Median
    {
        get
        {
            var sorted = Values.Order().ToArray();
            var middle = sorted.Length / 2;
            return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        }
    }

    public double Min => Values.Min();

    public double Max => Values.Max();

    /// <summary>Divides round by round, so that what disturbed both sides of a round cancels out.</summary>
    public static Figure Ratio(string name, Figure side, Figure baseline) =>
        new(name, [.. side.Values.Zip(baseline.Values, static (value, other) => value / other)], 2);

    /// <summary>Subtracts round by round.</summary>
    public static Figure Difference(string name, Figure side, Figure baseline) =>
        new(name, [.. side.Values.Zip(baseline.Values, static (value, other) => value - other)], side.Decimals);

    public override string ToString() => Values.Count == 1
        ? Text(Median)
        : $"{Text(Median)} ({Text(Min)}–{Text(Max)})";

    private string Text(double value) => value.ToString("N" + Decimals, System.Globalization.CultureInfo.InvariantCulture);
}
