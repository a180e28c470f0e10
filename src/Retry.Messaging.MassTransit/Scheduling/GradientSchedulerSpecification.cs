using MassTransit;
using MassTransit.Configuration;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Puts <see cref="GradientSchedulerFilter"/> in front of all endpoints of a bus.</summary>
internal sealed class GradientSchedulerSpecification(TimeProvider time) : IPipeSpecification<ConsumeContext>
{
    public void Apply(IPipeBuilder<ConsumeContext> builder) => builder.AddFilter(new GradientSchedulerFilter(time));

    public IEnumerable<ValidationResult> Validate() => [];
}
