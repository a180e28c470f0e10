using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Merges the layers of a point's settings, checks them, and makes rules of them.</summary>
internal sealed partial class PointSettings(GradientRetryConfiguration configuration, GradientRetryOptions options, ILogger logger)
{
    private bool _told;

    /// <summary>Makes the rules of a point.</summary>
    /// <param name="queue">The work queue.</param>
    /// <param name="layers">What its endpoint says.</param>
    /// <param name="operators">What operators have set; <see langword="null"/> for nothing.</param>
    public CompiledSettings Compile(string queue, EndpointLayers layers, RetryPointSettings? operators = null)
    {
        var all = configuration.LayersFor(queue, layers.Code, layers.Definition, options.Settings, operators);
        var settings = RetryPointSettings.Merge(all.Select(layer => layer.Settings));
        IReadOnlyList<RetryFinding> ofAll = [.. configuration.Findings, .. options.Bus.Validate("AddGradientRetry")];
        // what is wrong with the appsettings is said once, not by each endpoint, nor again of what an endpoint merges from them
        IReadOnlyList<RetryFinding> findings =
        [
            .. Interlocked.Exchange(ref _told, true) ? [] : ofAll,
            .. RetrySettingsValidator.Validate(settings, queue).Where(finding => !configuration.Says(finding, queue)),
        ];
        foreach (var finding in findings.Where(finding => finding.Severity != FindingSeverity.Error))
        {
            LogSetting(finding.ToString());
        }

        var isWrong = ofAll.Concat(findings).Any(finding => finding.Severity == FindingSeverity.Error);
        return new CompiledSettings(isWrong ? null : RetryRules.Compile(settings), findings, SettingOrigins.Of(all));
    }

    // MassTransit shows a warning of its validation only beside an error
    [LoggerMessage(LogEvents.SettingDoubtful, LogLevel.Warning, "{Finding}")]
    private partial void LogSetting(string finding);
}
