using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>Says at the start what a service cannot see of its points: one line for all points of a bus, with one command.</summary>
/// <remarks>AMQP shows neither policies nor bindings, so the line comes at every start, also after the command was run; it must be short.</remarks>
internal sealed partial class UnseenByAmqp(TopologyManagement manage, ILogger logger)
{
    private readonly ConcurrentDictionary<string, bool> _unsaid = new(StringComparer.Ordinal);

    /// <summary>A point was configured.</summary>
    /// <param name="queue">Its work queue.</param>
    /// <param name="hasRelease">Whether it has a release queue.</param>
    public void Add(string queue, bool hasRelease) => _unsaid[queue] = hasRelease;

    /// <summary>A point is ready. The first one speaks for all that were configured by then.</summary>
    public void Say()
    {
        var points = _unsaid.Where(point => _unsaid.TryRemove(point)).ToList();
        if (points.Count == 0)
        {
            return;
        }

        var command = ApplyCommand.For(points.Select(point => point.Key), points.Where(point => point.Value).Select(point => point.Key));
        if (manage == TopologyManagement.OnStart)
        {
            LogPolicies(command);
        }
        else
        {
            LogNothingDeclared(manage, command);
        }
    }

    [LoggerMessage(LogEvents.PolicyUnseen, LogLevel.Information, "AMQP does not show whether the broker parks what it drops itself. Run once, unless 'retryctl topology verify' is clean: {Command}")]
    private partial void LogPolicies(string command);

    [LoggerMessage(LogEvents.PointNotDeclared, LogLevel.Information, "ManageTopology is {Manage}, so nothing is declared here, and AMQP does not show bindings and policies. Run once, unless 'retryctl topology verify' is clean: {Command}")]
    private partial void LogNothingDeclared(TopologyManagement manage, string command);
}
