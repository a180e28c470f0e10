using Retry.Messaging.Operations.Verification;

namespace Retry.Messaging.Cli.Output;

/// <summary>Findings with one cause and one next step, told once.</summary>
/// <param name="Kind">What kind of thing they are.</param>
/// <param name="Subjects">Where they are.</param>
/// <param name="Found">What is there.</param>
/// <param name="Wanted">What should be.</param>
/// <param name="NextStep">What to do.</param>
internal sealed record FindingGroup(TopologyFindingKind Kind, string Subjects, string Found, string Wanted, string NextStep)
{
    private const int Named = 3;

    /// <summary>Groups findings, and keeps their order. A policy that fits 47 rungs is one cause, and so is a missing way back with all
    /// that hangs on it.</summary>
    public static IReadOnlyList<FindingGroup> Of(IEnumerable<TopologyFinding> findings) =>
    [
        .. findings
            .GroupBy(finding => (finding.Kind, finding.NextStep, Cause: finding.Kind == TopologyFindingKind.Different ? finding.Subject : finding.Found))
            .Select(group => new FindingGroup(
                group.Key.Kind,
                Summary(group.Select(finding => finding.Subject)),
                Summary(group.Select(finding => finding.Found), isWhole: group.Key.Kind == TopologyFindingKind.Different),
                Summary(group.Select(finding => finding.Wanted), isWhole: group.Key.Kind == TopologyFindingKind.Different),
                group.Key.NextStep)),
    ];

    private static string Summary(IEnumerable<string> texts, bool isWhole = false)
    {
        var different = texts.Distinct(StringComparer.Ordinal).ToList();
        return isWhole || different.Count <= Named
            ? string.Join(", ", different)
            : $"{string.Join(", ", different.Take(Named - 1))} and {Printable.Count(different.Count - Named + 1)} more";
    }
}
