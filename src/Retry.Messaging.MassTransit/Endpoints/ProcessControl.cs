using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.Logging;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Pulse;
using Retry.Messaging.RabbitMq.Strategies;
using Retry.Messaging.RabbitMq.Telemetry;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>What a process says of its points in one virtual host, and hears of them, over one connection of control.</summary>
/// <remarks>It begins with the first point and ends with the last, of whichever bus they are.</remarks>
#pragma warning disable CA1001 // a semaphore without a wait handle holds nothing, and what is started is ended with the last point
internal sealed partial class ProcessControl
#pragma warning restore CA1001
{
    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<IControlPart> _parts;
    private readonly ControlFollower _follower;
    private readonly string _node;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly ConcurrentDictionary<ControlledPoint, InstanceWatch> _points = new();
    private CancellationTokenSource? _stop;
    private Task _run = Task.CompletedTask;

    public ProcessControl(TimeProvider time, ILoggerFactory logging)
    {
        _time = time;
        _logger = logging.CreateLogger<ControlConnection>();
        _node = Guid.NewGuid().ToString("N")[..16];
        var by = $"{Environment.MachineName}:{Environment.ProcessId}";
        _follower = new ControlFollower([PolicyDocument.Kind, ReleaseDocument.Kind, CircuitDocument.Kind, ApartDocument.Kind], time);
        Pulses = new PulseShare(time);
        _parts =
        [
            _follower,
            Pulses,
            new PulseSender(new PulseSource(_node, by, Telemetry, time), time),
            new ClimbReporter(_node, by, Telemetry, () => [.. _points.Values.Select(bus => bus.Instance).Distinct()], time),
            new PointCircuits(
                "the judge of targets",
                Circuits,
                (circuit, connection, token) => new CircuitJudge(circuit, _follower, Pulses, by, time, Random.Shared).RunAsync(connection, token),
                time),
            new PointCircuits(
                "the permits of open circuits",
                Circuits,
                (circuit, connection, token) => new PermitTaker(circuit, time).RunAsync(connection, token),
                time),
            new PointCircuits(
                "what others judge of an ill process",
                Circuits,
                (circuit, connection, token) => JudgeWatch.RunAsync(circuit, connection, time, token),
                time),
        ];
    }

    /// <summary>Gets the pulses of all processes.</summary>
    public PulseShare Pulses { get; }

    /// <summary>A point begins. What operators have set for it is waited for, for ten seconds at most.</summary>
    public async Task BeginAsync(RabbitMqHostSettings host, ControlledPoint point, InstanceWatch instances, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _points[point] = instances;
            point.Circuit.Own.Node = _node;
            foreach (var target in point.Targets)
            {
                _follower.Add(target);
            }

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

        await _follower.Read.WaitAsync(ReadPatience, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_follower.Read.IsCompleted && !cancellationToken.IsCancellationRequested)
        {
            LogUnread(point.Telemetry.Queue, ReadPatience.TotalSeconds);
        }
    }

    /// <summary>Points end. With the last of them the connection is closed.</summary>
    public async Task EndAsync(IEnumerable<ControlledPoint> points)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            List<ControlledPoint> ending = [.. points];
            if (_stop is { } stop && _points.Keys.Except(ending).FirstOrDefault() is null)
            {
                // what they have sent is reported before they are forgotten
                _stop = null;
                await stop.CancelAsync().ConfigureAwait(false);
                await _run.ConfigureAwait(false);
                stop.Dispose();
            }

            foreach (var point in ending)
            {
                foreach (var target in point.Targets)
                {
                    _follower.Remove(target);
                }

                _points.TryRemove(point, out _);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    private IReadOnlyCollection<PointCircuit> Circuits() => [.. _points.Keys.Select(point => point.Circuit)];

    private ICollection<PointTelemetry> Telemetry() => [.. _points.Keys.Select(point => point.Telemetry)];

    [LoggerMessage(LogEvents.PoliciesUnread, LogLevel.Warning, "{Queue}: what operators have set could not be read within {Seconds} s, and the service's own settings hold until it can. Look whether the broker lets this user read " + BrokerNames.ControlStream)]
    private partial void LogUnread(string queue, double seconds);
}
