using Retry.Messaging.Configuration;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Merges the layers of a point's settings, checks them, and makes rules of them.</summary>
internal sealed class PointSettings(GradientRetryConfiguration configuration, GradientRetryOptions options)
{
    private bool _told;

    /// <summary>Makes the rules of a point.</summary>
    /// <returns>The rules, or none where something is wrong; and what is wrong or doubtful.</returns>
    public (RetryRules? Rules, IReadOnlyList<RetryFinding> Findings) Compile(string queue, EndpointLayers layers)
    {
        var settings = configuration.SettingsFor(queue, layers.Code, layers.Definition, options.Settings);
        IReadOnlyList<RetryFinding> ofAll = [.. configuration.Findings, .. options.Bus.Validate("AddGradientRetry")];
        // what is wrong with the appsettings is said once, not by each endpoint, nor again of what an endpoint merges from them
        IReadOnlyList<RetryFinding> findings =
        [
            .. Interlocked.Exchange(ref _told, true) ? [] : ofAll,
            .. RetrySettingsValidator.Validate(settings, queue).Where(finding => !configuration.Says(finding, queue)),
        ];
        var isWrong = ofAll.Concat(findings).Any(finding => finding.Severity == FindingSeverity.Error);
        return (isWrong ? null : RetryRules.Compile(settings), findings);
    }
}
