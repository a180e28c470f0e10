using Retry.Messaging.Operations.Policies;

namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary>The policy of a point, as JSON shows it.</summary>
internal sealed record PolicyReportDocument(
    string Point,
    IReadOnlyList<PolicySettingDocument> Settings,
    PolicySetDocument Set,
    PolicySetDocument? Before,
    int Nodes,
    IReadOnlyList<PolicyBehindDocument> Behind)
{
    public static PolicyReportDocument Of(PolicyReport report) => new(
        report.Document.Point,
        [.. PolicyAnswer.SettingsOf(report)],
        PolicySetDocument.Of(report.Document),
        report.Document.Before is { } before ? PolicySetDocument.Of(before) : null,
        report.Nodes.Count,
        [.. report.Behind.Select(behind => new PolicyBehindDocument(behind.Node, behind.Why))]);
}
