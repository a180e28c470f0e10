using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>Has the topology looked after before a point's work queue is consumed from, and declares the point as soon as its queue exists.</summary>
/// <remarks>Start-up never fails here: what cannot be declared is said, and tried again while the service runs.</remarks>
internal sealed partial class PointTopology(
    RabbitMqPoint point,
    TopologyKeeper keeper,
    Func<ConnectionContext, CancellationToken, Task> connected,
    TopologyManagement manage,
    RetryRules rules,
    PointHealth health,
    UnseenByAmqp unseen,
    IDictionary<string, object> workQueueArguments,
    ILogger logger)
    : IFilter<ChannelContext>, IReceiveEndpointObserver
{
    private ChannelContext? _channel;

    // the arguments are what this process declares
    private string? DeadLetterExchange => workQueueArguments.TryGetValue(RabbitMQ.Client.Headers.XDeadLetterExchange, out var value) ? value?.ToString() : null;

    public async Task Send(ChannelContext context, IPipe<ChannelContext> next)
    {
        _channel = context;
        health.Held.Start();
        var connection = context.ConnectionContext.Connection;
        keeper.Add(point.Names.Work, point.PointPlan);
        // the work queue may have been deleted, and its bindings with it
        keeper.Forget(connection, point.PointPlan);
        var retry = RetryConnection.Of(connection);
        await UnlessStoppedAsync(keeper.StartAsync(connection, call => retry.SomethingMissing += call, context.CancellationToken)).ConfigureAwait(false);
        await UnlessStoppedAsync(connected(context.ConnectionContext, context.CancellationToken)).ConfigureAwait(false);
        // from now on the keeper knows
        health.Found(PointHealth.Ladder, (string?)null);
        await next.Send(context).ConfigureAwait(false);
    }

    public async Task Ready(ReceiveEndpointReady ready)
    {
        // all observers are called before one of them is waited for
        await Task.Yield();
        health.Held.BeReady();
        if (await DeclareAsync().ConfigureAwait(false))
        {
            LogReady(point.Names.Work, rules.ToString());
        }

        if (manage != TopologyManagement.Never)
        {
            SayWhereElseItParks();
        }

        unseen.Say();
    }

    public Task Stopping(ReceiveEndpointStopping stopping)
    {
        keeper.Remove(point.PointPlan);
        health.Held.Stop();
        return Task.CompletedTask;
    }

    public Task Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    public Task Faulted(ReceiveEndpointFaulted faulted) => Task.CompletedTask;

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryTopology").Add("parked", point.Names.Parked);

    private async Task<bool> DeclareAsync()
    {
        if (_channel is not { } channel)
        {
            return false;
        }

        try
        {
            var declaring = keeper.DeclareAsync(channel.ConnectionContext.Connection, point.PointPlan, channel.CancellationToken);
            await UnlessStoppedAsync(declaring).ConfigureAwait(false);
            var differences = await declaring.ConfigureAwait(false);
            health.Found(PointHealth.Point, differences);
            foreach (var different in differences)
            {
                LogDifferent(point.Names.Work, different.Message);
            }

            return true;
        }
        catch (OperationCanceledException) when (health.Held.Stopping.IsCompleted)
        {
            return false;
        }
        catch (TopologyException exception) when (exception.IsForbidden)
        {
            health.Found(PointHealth.Point, exception.Message);
            LogForbidden(point.Names.Work, exception.Message);
            return false;
        }
#pragma warning disable CA1031 // the bus starts whatever the broker says; a failed outcome is held until the topology is there
        catch (Exception exception)
        {
            health.Found(PointHealth.Point, exception.Message);
            if (channel.ConnectionContext.Connection.IsOpen)
            {
                LogRefused(point.Names.Work, exception.Message);
            }

            // otherwise the endpoint stops, or is started again on the next connection
            return false;
        }
#pragma warning restore CA1031
    }

    // The channel's own token is cancelled when the endpoint has stopped, and that waits for what is declared here. What the
    // connection has not answered when it closes it never does: a stop took 20 s.
    private async Task UnlessStoppedAsync(Task declaring)
    {
        if (await Task.WhenAny(declaring, health.Held.Stopping).ConfigureAwait(false) != declaring)
        {
            throw new OperationCanceledException($"Endpoint '{point.Names.Work}' stops while its topology is looked after.");
        }

        await declaring.ConfigureAwait(false);
    }

    private void SayWhereElseItParks()
    {
        if (DeadLetterExchange is { } exchange && exchange != BrokerNames.ParkingExchange)
        {
            LogParkedElsewhere(point.Names.Work, exchange, BrokerNames.ParkingExchange);
        }
    }

    [LoggerMessage(LogEvents.ParkedElsewhere, LogLevel.Warning, "{Queue}: the broker sends what it drops itself to exchange '{Found}', wanted '{Wanted}'. The parking lot will not have it. Declare the queue without x-dead-letter-exchange, then run 'retryctl topology apply --point {Queue}'")]
    private partial void LogParkedElsewhere(string queue, string found, string wanted);

    [LoggerMessage(LogEvents.TopologyRefused, LogLevel.Error, "{Queue}: the retry topology is not complete: failed messages are held or, where only a binding is missing, go to " + BrokerNames.LostQueue + ": {Reason}")]
    private partial void LogRefused(string queue, string reason);

    [LoggerMessage(LogEvents.TopologyDiffers, LogLevel.Warning, "{Queue}: the retry topology is not as planned, and is used as it is: {Reason}")]
    private partial void LogDifferent(string queue, string reason);

    [LoggerMessage(LogEvents.TopologyForbidden, LogLevel.Warning, "{Queue}: this service has no permission to declare its retry point, and AMQP does not show whether the point is bound. {Reason}")]
    private partial void LogForbidden(string queue, string reason);

    [LoggerMessage(LogEvents.PointReady, LogLevel.Information, "{Queue}: retry point ready, {Policy}")]
    private partial void LogReady(string queue, string policy);
}
