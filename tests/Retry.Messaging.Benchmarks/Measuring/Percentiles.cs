namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>The spread of one round's many values.</summary>
/// <param name="Min">The smallest.</param>
/// <param name="P50">The median.</param>
/// <param name="P99">All but the largest hundredth are below it.</param>
/// <param name="Max">The largest.</param>
internal sealed record Percentiles(double Min, double P50, double P99, double Max)
{
    public static Percentiles Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new(sorted[0], At(sorted, 0.5), At(sorted, 0.99), sorted[^1]);
    }

    private static double At(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
}
