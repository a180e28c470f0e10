using System.Collections.Concurrent;
using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Policies;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Lost;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>What a bus does beside consuming: it shows that it lives, sends on what is lost, and asks how patient the broker is.</summary>
internal sealed class BusUpkeep
{
    private readonly BusSettings _settings;
    private readonly LostMover _mover;
    private readonly TimeoutWatch _timeouts;
    private readonly Func<ProcessControls> _controls;
    private readonly ConcurrentDictionary<ControlledPoint, ProcessControl> _controlled = new();

    public BusUpkeep(
        BusSettings settings,
        TopologyManagement manage,
        LostRounds rounds,
        Func<ProcessControls> controls,
        TimeProvider time,
        ILoggerFactory logging)
    {
        _settings = settings;
        _controls = controls;
        // a service that does not look after the topology does not send on what is lost
        var lostFor = manage == TopologyManagement.Never ? TimeSpan.Zero : settings.ForwardLostFor ?? RetryDefaults.ForwardLostFor;
        _mover = new LostMover(lostFor, binds: manage == TopologyManagement.OnStart, rounds, time, Random.Shared, logging.CreateLogger<LostMover>());
        _timeouts = new TimeoutWatch(time, logging.CreateLogger<TimeoutWatch>());
        var facts = new InstanceFacts(
            time.GetUtcNow(),
            VersionText.Of(typeof(BusUpkeep).Assembly),
            $"MassTransit {VersionText.Of(typeof(IBus).Assembly)}",
            $".NET {Environment.Version}",
            settings.Build ?? VersionText.OfProgram());
        Instances = new InstanceWatch(facts, time, logging.CreateLogger<InstanceWatch>());
    }

    /// <summary>Knows which instances died.</summary>
    public InstanceWatch Instances { get; }

    /// <summary>Asks for the consumer timeout of a point from now on.</summary>
    public void Add(PointTimes times) => _timeouts.Add(times);

    /// <summary>Starts on a connection, before an endpoint consumes. Every endpoint calls it of the connection that they share.</summary>
    public async Task StartAsync(ConnectionContext context, ControlledPoint point, CancellationToken cancellationToken)
    {
        if (!context.TryGetPayload<RabbitMqHostSettings>(out var host))
        {
            await Instances.BeginAsync(context.Connection, point.Describe(), cancellationToken).ConfigureAwait(false);
            return;
        }

        // what operators have set holds for the first message
        await _controlled.GetOrAdd(point, _ => _controls().Of(host)).BeginAsync(host, point, Instances, cancellationToken).ConfigureAwait(false);
        await Instances.BeginAsync(context.Connection, point.Describe(), cancellationToken).ConfigureAwait(false);
        _mover.Start(context.Connection, cancellation => BusConnections.ConnectAsync(host, "lost messages", static _ => { }, cancellation));
        if (_settings.Management is { } management)
        {
            _timeouts.Start(context.Connection, () => ManagementOf(host, context.VirtualHost(), management));
        }
    }

    /// <summary>The pulses of all processes in a bus's virtual host.</summary>
    public PulseShare PulsesOf(RabbitMqHostSettings host) => _controls().Of(host).Pulses;

    /// <summary>Has this instance say that it stops.</summary>
    public Task EndAsync() => Instances.EndAsync();

    /// <summary>Ends what is said of the bus's points: its endpoints have stopped.</summary>
    public async Task LeaveAsync()
    {
        foreach (var control in _controlled.GroupBy(point => point.Value, point => point.Key).ToList())
        {
            await control.Key.EndAsync(control).ConfigureAwait(false);
        }

        _controlled.Clear();
    }

    private static ManagementClient ManagementOf(RabbitMqHostSettings host, string virtualHost, string management)
    {
        var broker = BrokerAddress.Parse($"{(host.Ssl ? "amqps" : "amqp")}://{Uri.EscapeDataString(host.Username)}:{Uri.EscapeDataString(host.Password)}@{host.Host}:{host.Port}/{Uri.EscapeDataString(virtualHost)}");
        return new ManagementClient(broker, ManagementAddress.Of(broker, management));
    }
}
