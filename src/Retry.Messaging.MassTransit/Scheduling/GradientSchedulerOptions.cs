namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Settings of the scheduler of a bus.</summary>
public sealed class GradientSchedulerOptions
{
    /// <summary>Gets or sets a value indicating whether what this process schedules is noted for <c>retryctl schedule list</c>.</summary>
    /// <value>The default is false.</value>
    /// <remarks>
    /// A message on the ladder cannot be looked at, so a notice of some 200 bytes is written beside each scheduled send, into the stream
    /// <c>retry.v1.scheduled</c>, which keeps a gigabyte. The notices of a process that is killed in between may be missing. docs/performance.md
    /// has what it costs.
    /// </remarks>
    public bool ListScheduled { get; set; }
}
