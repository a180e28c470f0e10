using MassTransit;
using MassTransit.Configuration;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Filters;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Puts the filter on an endpoint, or says everything that is wrong with its settings.</summary>
internal sealed class GradientRetrySpecification(
    Func<GradientRetryFilter>? filter,
    IReadOnlyList<RetryFinding> findings,
    RedeliveryGuard? guard = null,
    Action<string>? leftAlone = null)
    : IPipeSpecification<ConsumeContext>
{
    /// <summary>Has the bus refuse to start, because of an endpoint.</summary>
    public static void Refuse(IReceiveEndpointConfigurator endpoint, string message) =>
        endpoint.AddPrePipeSpecification(new GradientRetrySpecification(null, [new RetryFinding("GradientRetry", message)]));

    public void Apply(IPipeBuilder<ConsumeContext> builder)
    {
        if (guard?.JobConsumer is { } jobs)
        {
            // MassTransit's job service waits for the Fault of a job that did not start, and has retries of its own
            leftAlone?.Invoke($"{TypeCache.GetShortName(jobs)} is a job consumer, whose retries are the job service's (JobOptions.SetRetry)");
        }
        else if (filter is not null)
        {
            builder.AddFilter(filter());
        }
    }

    public IEnumerable<ValidationResult> Validate() => findings.Concat(guard?.Findings() ?? []).Select(finding => finding.Severity == FindingSeverity.Warning
        ? this.Warning(finding.Path, finding.Message)
        : this.Failure(finding.Path, finding.Message));
}
