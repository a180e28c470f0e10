using MassTransit;
using MassTransit.Configuration;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Puts a filter on a pipe that is made when the pipe is built, after the settings have been validated.</summary>
internal sealed class LateFilterSpecification<T>(Func<IFilter<T>> filter) : IPipeSpecification<T>
    where T : class, PipeContext
{
    public void Apply(IPipeBuilder<T> builder) => builder.AddFilter(filter());

    public IEnumerable<ValidationResult> Validate() => [];
}
