using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.Logging;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Pulse;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>What a process says of its points in one virtual host, and hears of them, over one connection of control.</summary>
/// <remarks>It begins with the first point and ends with the last, of whichever bus they are.</remarks>
#pragma warning disable CA1001 // a semaphore without a wait handle holds nothing, and what is started is ended with the last point
internal sealed class ProcessControl
#pragma warning restore CA1001
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<IControlPart> _parts;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly ConcurrentDictionary<PointTelemetry, InstanceWatch> _points = new();
    private CancellationTokenSource? _stop;
    private Task _run = Task.CompletedTask;

    public ProcessControl(TimeProvider time, ILoggerFactory logging)
    {
        _time = time;
        _logger = logging.CreateLogger<ControlConnection>();
        var node = Guid.NewGuid().ToString("N")[..16];
        var by = $"{Environment.MachineName}:{Environment.ProcessId}";
        _parts =
        [
            new PulseSender(new PulseSource(node, by, () => _points.Keys, time), time),
            new ClimbReporter(node, by, () => _points.Keys, () => [.. _points.Values.Select(bus => bus.Instance).Distinct()], time),
        ];
    }

    /// <summary>A point begins. Nothing is waited for.</summary>
    public async Task BeginAsync(RabbitMqHostSettings host, PointTelemetry point, InstanceWatch instances, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _points[point] = instances;
            if (_stop is null)
            {
                _stop = new CancellationTokenSource();
                var connection = new ControlConnection(
                    token => BusConnections.ConnectAsync(host, "control", static factory => factory.AutomaticRecoveryEnabled = false, token),
                    _parts,
                    _time,
                    Random.Shared,
                    _logger);
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
            List<PointTelemetry> ending = [.. points];
            if (_stop is { } stop && _points.Keys.Except(ending).FirstOrDefault() is null)
            {
                // what they have sent is reported before they are forgotten
                _stop = null;
                await stop.CancelAsync().ConfigureAwait(false);
                await _run.ConfigureAwait(false);
                stop.Dispose();
            }

            ending.ForEach(point => _points.TryRemove(point, out _));
        }
        finally
        {
            _changing.Release();
        }
    }
}
