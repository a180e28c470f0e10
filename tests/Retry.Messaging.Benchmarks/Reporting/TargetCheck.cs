using System.Globalization;
using Retry.Messaging.Benchmarks.Measuring;

namespace Retry.Messaging.Benchmarks.Reporting;

/// <summary>A promise and what was found.</summary>
/// <param name="What">What was promised.</param>
/// <param name="Found">What was found; its median counts.</param>
/// <param name="AtLeast">What must be reached.</param>
/// <param name="Aim">What we would like.</param>
internal sealed record TargetCheck(string What, Figure Found, double AtLeast, double Aim)
{
    private bool LessIsBetter => Aim < AtLeast;

    /// <summary>Gets the verdict: aim, met or missed.</summary>
    public string Verdict => Reaches(Aim) ? "aim" : Reaches(AtLeast) ? "met" : "missed";

    /// <summary>Gets the promise as text.</summary>
    public string Wanted => string.Create(CultureInfo.InvariantCulture, $"{(LessIsBetter ? "≤" : "≥")} {AtLeast:0.##}, aim {Aim:0.##}");

    private bool Reaches(double bound) => LessIsBetter ? Found.Median <= bound : Found.Median >= bound;
}
