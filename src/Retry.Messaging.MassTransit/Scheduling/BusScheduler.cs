using MassTransit;
using MassTransit.RabbitMqTransport.Configuration;
using MassTransit.Transports;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Listing;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>The scheduler of a bus: its sends with a delay go by the ladder, and a dispatcher runs as long as the bus does.</summary>
/// <remarks>
/// Where the bus has retry points, their endpoints have the topology looked after. Otherwise the dispatcher's connection has.
/// </remarks>
#pragma warning disable CA1001 // MassTransit disposes no observers; what is started is ended, and disposed, when the bus stops
internal sealed class BusScheduler(
    Func<IBusInstance> bus,
    GradientSchedulerOptions scheduler,
    TopologyKeeper keeper,
    LadderGuard guard,
    BusRecurrences recurrences,
    SentSchedules sent,
    ScheduleIndexWriter? index,
    TimeProvider time,
    ILoggerFactory logging) : IBusObserver
#pragma warning restore CA1001
{
    private CancellationTokenSource? _stop;
    private Task _run = Task.CompletedTask;
    private ScheduleDispatcher? _dispatcher;

    /// <summary>Gets what does not go well, or <see langword="null"/>.</summary>
    public string? Trouble => _run.IsCompleted ? null : _dispatcher?.Trouble;

    public Task PostStart(IBus started, Task<BusReady> busReady)
    {
        if (bus().HostConfiguration is IRabbitMqHostConfiguration { Settings: { } settings } && _run.IsCompleted)
        {
            var options = new ScheduleDispatcherOptions
            {
                ConnectAsync = (prepare, cancellation) => BusConnections.ConnectAsync(settings, "scheduler", prepare, cancellation),
                ConnectedAsync = (connection, cancellation) =>
                {
                    sent.Connected(connection, settings.VirtualHost);
                    return ConnectedAsync(connection, cancellation);
                },
                BesideAsync = (connection, cancellation) => Task.WhenAll(
                    recurrences.RunAsync(connection, cancellation),
                    index?.RunAsync(connection, cancellation) ?? Task.CompletedTask),
                Exchanges = scheduler.Exchanges?.ToHashSet(StringComparer.Ordinal),
            };
            _stop = new CancellationTokenSource();
            _dispatcher = new ScheduleDispatcher(options, time, Random.Shared, logging.CreateLogger<ScheduleDispatcher>());
            _run = _dispatcher.RunAsync(_stop.Token);
        }

        return Task.CompletedTask;
    }

    public async Task PreStop(IBus stopped)
    {
        if (_stop is { } stop)
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await _run.ConfigureAwait(false);
            stop.Dispose();
            _stop = null;
        }
    }

    public void PostCreate(IBus created)
    {
    }

    public void CreateFaulted(Exception exception)
    {
    }

    public Task PreStart(IBus starting) => Task.CompletedTask;

    public Task StartFaulted(IBus failed, Exception exception) => PreStop(failed);

    public Task PostStop(IBus stopped) => Task.CompletedTask;

    public Task StopFaulted(IBus failed, Exception exception) => Task.CompletedTask;

    private Task ConnectedAsync(IConnection connection, CancellationToken cancellationToken)
    {
        guard.Connection = connection;
        if (keeper.HasPoints)
        {
            return keeper.Looked.WaitAsync(cancellationToken);
        }

        var retry = RetryConnection.Of(connection);
        return keeper.StartAsync(connection, call => retry.SomethingMissing += call, cancellationToken);
    }
}
