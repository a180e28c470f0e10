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

    /// <summary>Gets or sets the exchanges that this process's dispatcher may publish scheduled messages to.</summary>
    /// <value>Names of exchanges; the empty one is the default exchange. The default is null: all that the user of the bus may write to.</value>
    /// <remarks>
    /// Whoever may write to the ladder can name any exchange as the destination of a message, and the dispatcher publishes with its own user's
    /// rights. What names an exchange that is not in the list goes to <c>retry.v1.lost</c>, with its cause. One process dispatches for all of the virtual
    /// host, so all need the same list, with the exchanges of all services: of a queue it is the queue's name, of a published type its full name.
    /// </remarks>
    public IReadOnlyCollection<string>? Exchanges { get; set; }
}
