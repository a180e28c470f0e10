using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Pulse;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>The limiter of a point in this process: it starts when the endpoint is ready and ends with it.</summary>
/// <remarks>
/// It lives with the endpoint and not with the host, so a bus without a host, and an endpoint that is connected later, have
/// theirs too. It takes the connection's settings from the bus, credentials and certificates among them. A point without a
/// limit looks whether there is a release queue, left from when it, or another instance, had one, and empties it.
/// </remarks>
#pragma warning disable CA1001 // MassTransit disposes no observers; what is started is ended, and disposed, when the endpoint stops
internal sealed class PointLimiter(
    RabbitMqPoint point,
    RetryRules rules,
    TopologyKeeper keeper,
    HoldTime hold,
    ReleaseVisits visits,
    Func<RabbitMqHostSettings, PulseShare> pulses,
    Func<int> prefetch,
    TimeProvider time,
    ILogger logger)
    : IFilter<ChannelContext>, IReceiveEndpointObserver
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _changing = new(1, 1);
    private ChannelContext? _channel;
    private CancellationTokenSource? _stop;
    private Task _run = Task.CompletedTask;
    private RedeliveryLimiter? _limiter;

    /// <summary>Gets what it does; null where the point has no limit, has not been ready yet, or has been stopped.</summary>
    public LimiterStatus? Status => _limiter?.Status;

    public Task Send(ChannelContext context, IPipe<ChannelContext> next)
    {
        _channel = context;
        return next.Send(context);
    }

    public async Task Ready(ReceiveEndpointReady ready)
    {
        if (_channel is not { } channel || !channel.ConnectionContext.TryGetPayload<RabbitMqHostSettings>(out var settings))
        {
            return;
        }

        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            // a limiter finds its own way through lost connections; a drain is the bus connection's, and starts anew with the next
            if (_stop is { } last && !point.HasRelease)
            {
                await last.CancelAsync().ConfigureAwait(false);
                await _run.ConfigureAwait(false);
            }

            if (_run.IsCompleted)
            {
                _stop?.Dispose();
                _stop = new CancellationTokenSource();
                _run = RunAsync(channel.ConnectionContext.Connection, settings, _stop.Token);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    public async Task Stopping(ReceiveEndpointStopping stopping)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_stop is { } stop)
            {
                await stop.CancelAsync().ConfigureAwait(false);
                await _run.ConfigureAwait(false);
                stop.Dispose();
                _stop = null;
                // an endpoint that was disconnected lacks no limiter
                _limiter = null;
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    public Task Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    public Task Faulted(ReceiveEndpointFaulted faulted) => Task.CompletedTask;

    public void Probe(ProbeContext context)
    {
        var scope = context.CreateFilterScope("gradientRetryLimiter");
        scope.Add("release", point.Names.Release);
        scope.Add("limit", rules.Limit?.ToString() ?? "none");
        scope.Add("budget", rules.Budget?.ToString() ?? "none");
    }

    private async Task RunAsync(IConnection busConnection, RabbitMqHostSettings settings, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var options = new LimiterOptions
        {
            Names = point.Names,
            Limit = rules.Limit,
            ConsumerPrefetch = prefetch(),
            ConnectAsync = (prepare, cancellation) => BusConnections.ConnectAsync(settings, $"limiter {point.Names.Work}", prepare, cancellation),
            Hold = hold,
            Visits = visits,
            Budget = rules.Budget,
            Pulses = pulses(settings),
        };
        if (!point.HasRelease)
        {
            await new ReleaseDrain(options, time, Random.Shared, logger).RunAsync(busConnection, cancellationToken).ConfigureAwait(false);
            return;
        }

        await DeclaredAsync(busConnection, cancellationToken).ConfigureAwait(false);
        _limiter = new RedeliveryLimiter(options, time, Random.Shared, logger);
        await _limiter.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    // observers run side by side, and the release queue is declared by another
    private async Task DeclaredAsync(IConnection busConnection, CancellationToken cancellationToken)
    {
        try
        {
            await keeper.DeclareAsync(busConnection, point.PointPlan, cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // it has been said where it was declared; the limiter says what it lacks, and tries again
        catch (Exception)
        {
        }
#pragma warning restore CA1031
    }
}
