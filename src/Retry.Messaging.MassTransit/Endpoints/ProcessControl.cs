using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.Logging;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Pulse;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>What a process says of its points in one virtual host, and hears of them, over one connection of control.</summary>
/// <remarks>It begins with the first point and ends with the last, of whichever bus they are.</remarks>
#pragma warning disable CA1001 // a semaphore without a wait handle holds nothing, and what is started is ended with the last point
internal sealed class ProcessControl(TimeProvider time, ILoggerFactory logging)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly ConcurrentDictionary<PointTelemetry, byte> _points = new();
    private CancellationTokenSource? _stop;
    private Task _run = Task.CompletedTask;

    /// <summary>A point begins. Nothing is waited for.</summary>
    public async Task BeginAsync(RabbitMqHostSettings host, PointTelemetry point, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _points[point] = 0;
            if (_stop is null)
            {
                _stop = new CancellationTokenSource();
                var connection = new ControlConnection(
                    token => BusConnections.ConnectAsync(host, "control", static factory => factory.AutomaticRecoveryEnabled = false, token),
                    Parts(),
                    time,
                    Random.Shared,
                    logging.CreateLogger<ControlConnection>());
                _run = connection.RunAsync(_stop.Token);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Points end. With the last of them the connection is closed.</summary>
    public async Task EndAsync(IEnumerable<PointTelemetry> points)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            var isLast = !_points.IsEmpty;
            foreach (var point in points)
            {
                _points.TryRemove(point, out _);
            }

            if (isLast && _points.IsEmpty && _stop is { } stop)
            {
                _stop = null;
                await stop.CancelAsync().ConfigureAwait(false);
                await _run.ConfigureAwait(false);
                stop.Dispose();
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    private IReadOnlyList<IControlPart> Parts()
    {
        var node = Guid.NewGuid().ToString("N")[..16];
        var by = $"{Environment.MachineName}:{Environment.ProcessId}";
        return [new PulseSender(new PulseSource(node, by, () => _points.Keys, time), time)];
    }
}
