using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit;

/// <summary>Bus-wide settings of graded retry: everything that can be said about a retry point, as the default for all of them.</summary>
public sealed class GradientRetryOptions : RetryPointBuilder
{
    /// <summary>Gets or sets what the service does about the topology when it starts.</summary>
    /// <value>The default is <see cref="TopologyManagement.OnStart"/>. <c>ManageTopology</c> in appsettings wins over it.</value>
    public TopologyManagement ManageTopology { get; set; } = TopologyManagement.OnStart;

    /// <summary>When a message is suspected of killing its consumer. Not for users: what the numbers protect from is measured, not a matter of taste.</summary>
    internal CrashSuspicion Suspicion { get; set; } = new();

    /// <summary>When the service looks after the topology. Not for users: nothing but tests gains by other times.</summary>
    internal TopologyRounds Rounds { get; set; } = new();

    /// <summary>Gets or sets how the queues of a retry point are named after its work queue.</summary>
    /// <value>The default adds <c>.release</c> and <c>.parked</c>.</value>
    /// <remarks>
    /// All services that share a work queue must agree. <c>retryctl</c> knows the default names only; where others are used, <see cref="RabbitMq.Parking.ParkingLot"/>
    /// and <see cref="RabbitMq.Limiter.LimiterControl"/> take the same function.
    /// </remarks>
    public Func<string, RetryPointNames> QueueNames { get; set; } = RetryPointNames.For;
}
