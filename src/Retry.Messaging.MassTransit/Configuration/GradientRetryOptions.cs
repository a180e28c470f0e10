using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Lost;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit;

/// <summary>Bus-wide settings of graded retry: everything that can be said about a retry point, as the default for all of them.</summary>
public sealed class GradientRetryOptions : RetryPointBuilder
{
    /// <summary>Gets or sets what the service does about the topology when it starts.</summary>
    /// <value>The default is <see cref="TopologyManagement.OnStart"/>. <c>ManageTopology</c> in appsettings wins over it.</value>
    public TopologyManagement ManageTopology { get; set; } = TopologyManagement.OnStart;

    /// <summary>Gets or sets the broker's consumer timeout: how long it lets a consumer hold a delivery.</summary>
    /// <value>From 1 second to 30 days. The default is null: not known here. <c>ConsumerTimeout</c> in appsettings wins over it.</value>
    /// <remarks>
    /// What cannot go on, an outcome that the broker does not confirm or a message that waits for the limiter, is given back to its queue at 0.6 of it.
    /// Where it is not set, the management API is asked (<see cref="Management"/>); where that does not show it either (before RabbitMQ 4.3 it does not), it is
    /// taken from what the broker says when it closes a channel for it, and until then everything is given back after 20 minutes.
    /// Set it where <c>consumer_timeout</c> in the broker's configuration is shorter than its default of 30 minutes.
    /// </remarks>
    public TimeSpan? ConsumerTimeout { get; set; }

    /// <summary>Gets or sets where the broker's management API is, for example <c>http://rabbit:15672</c>.</summary>
    /// <value>The default is null: it is not asked. <c>Management</c> in appsettings wins over it.</value>
    /// <remarks>It is asked, with the bus's user and password, for consumer timeouts and delivery limits; the user needs the tag <c>monitoring</c>.</remarks>
    public string? Management { get; set; }

    /// <summary>Gets or sets how long lost messages go on by themselves when their queue is back, counted from when they were lost.</summary>
    /// <value>Up to 365 days; zero for never. The default is 24 hours. <c>ForwardLostFor</c> in appsettings wins over it.</value>
    /// <remarks>What was lost earlier, or is past its deadline, waits for an operator: <c>retryctl lost replay</c>.</remarks>
    public TimeSpan? ForwardLostFor { get; set; }

    /// <summary>Gets or sets what operators call this build of the service, for example a commit: <c>retryctl nodes</c> shows it.</summary>
    /// <value>1 to 64 characters on one line. The default is null: the informational version of the program. <c>Build</c> in appsettings wins over it.</value>
    public string? Build { get; set; }

    /// <summary>What is said here about the bus as a whole.</summary>
    internal BusSettings Bus => new() { ConsumerTimeout = ConsumerTimeout, Management = Management, ForwardLostFor = ForwardLostFor, Build = Build };

    /// <summary>When the service looks after the lost queue. Not for users: nothing but tests gains by other times.</summary>
    internal LostRounds LostRounds { get; set; } = new();

    /// <summary>When a message is suspected of killing its consumer. Not for users: what the numbers protect from is measured, not a matter of taste.</summary>
    internal CrashSuspicion Suspicion { get; set; } = new();

    /// <summary>When the service looks after the topology. Not for users: nothing but tests gains by other times.</summary>
    internal TopologyRounds Rounds { get; set; } = new();
}
