using Retry.Messaging.Operations.Circuits;

namespace Retry.Messaging.Cli.Commands.Breakers;

/// <summary>The circuit of a point, as JSON shows it.</summary>
internal sealed record BreakerDocument(
    string Point,
    string State,
    string Hand,
    long Version,
    string? Why,
    string? By,
    DateTimeOffset? At,
    DateTimeOffset? OpenSince,
    int Instances,
    int WithBreaker,
    bool IsJudged,
    IReadOnlyList<IllInstanceDocument>? Ill)
{
    public static BreakerDocument Of(CircuitReport report)
    {
        var document = report.Document;
        var isSet = document.Version > 0;
        return new(
            document.Point,
            document.State.ToString(),
            document.Hand.ToString(),
            document.Version,
            document.Why,
            isSet ? document.By : null,
            isSet ? document.At : null,
            document.OpenSince,
            report.Instances,
            report.WithBreaker,
            report.IsJudged,
            report.Ill.Count == 0 ? null : [.. report.Ill.Select(one => new IllInstanceDocument(one.Node, one.Why))]);
    }
}
