using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Strategies;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Puts what operators set for a point over its settings, from the next failure on.</summary>
/// <param name="point">The point.</param>
/// <param name="compile">Makes rules of what operators set and the layers below.</param>
/// <param name="started">What the layers come to without operators.</param>
/// <param name="health">The point's health.</param>
/// <param name="logger">Where a change is said.</param>
internal sealed partial class LivePolicy(
    RetryPoint point,
    Func<RetryPointSettings?, CompiledSettings> compile,
    CompiledSettings started,
    PointHealth health,
    ILogger logger) : IControlTarget
{
    private const string Part = "policy";

    /// <inheritdoc/>
    public string Queue => point.Queue;

    /// <inheritdoc/>
    public string Kind => PolicyDocument.Kind;

    /// <summary>Called when something has changed.</summary>
    public Action Changed { get; set; } = static () => { };

    /// <summary>What holds, and why not what operators have set last.</summary>
    public State Current { get; private set; } = new(0, started.Origins, null);

    /// <inheritdoc/>
    public void Apply(ControlRecord record)
    {
        try
        {
            Apply(PolicyDocument.Read(record));
        }
        catch (ControlException exception)
        {
            Refuse(record.Version, exception.Message);
        }

        Changed();
    }

    private void Apply(PolicyDocument document)
    {
        var (operators, wrong) = OperatorSettings.Read(document.Settings, point.Queue);
        var compiled = wrong.Count > 0 ? null : compile(document.Settings.Count == 0 ? null : operators);
        if (compiled is not { Rules: { } rules })
        {
            var findings = compiled?.Findings.Where(finding => finding.Severity == FindingSeverity.Error) ?? wrong;
            Refuse(document.Version, string.Join("; ", findings));
            return;
        }

        point.Rules = rules;
        Current = new State(document.Version, compiled.Origins, null);
        health.Found(Part, (string?)null);
        LogApplied(point.Queue, document.Version, document.By, rules.ToString(), document.Why);
    }

    private void Refuse(long version, string why)
    {
        Current = Current with { Trouble = $"Version {version} of the policy is not applied, and version {Current.Version} still holds: {why}" };
        health.Found(Part, $"{Current.Trouble.TrimEnd('.')}. Run 'retryctl policy show {point.Queue}'.");
        LogNotApplied(point.Queue, version, Current.Version, why.TrimEnd('.'));
    }

    /// <summary>What holds.</summary>
    /// <param name="Version">The version of the document that holds; 0 for none.</param>
    /// <param name="Origins">Each setting.</param>
    /// <param name="Trouble">Why not the one that was set last.</param>
    public sealed record State(long Version, IReadOnlyList<SettingOrigin> Origins, string? Trouble);

    [LoggerMessage(LogEvents.PolicyApplied, LogLevel.Information, "{Queue}: version {Version} of the policy, set by {By}, holds from the next failure on: {Policy}. Why: {Why}")]
    private partial void LogApplied(string queue, long version, string? by, string policy, string? why);

    [LoggerMessage(LogEvents.PolicyNotApplied, LogLevel.Warning, "{Queue}: version {Version} of the policy is not applied, and version {Current} still holds: {Reason}. Run 'retryctl policy show {Queue}'")]
    private partial void LogNotApplied(string queue, long version, long current, string reason);
}
