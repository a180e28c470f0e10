using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Configuration;
using MassTransit.InMemoryTransport.Configuration;
using MassTransit.RabbitMqTransport;
using MassTransit.RabbitMqTransport.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.Configuration;
using Retry.Messaging.Idempotency;
using Retry.Messaging.MassTransit.Endpoints;
using Retry.Messaging.MassTransit.InMemory;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Makes a retry point of every durable endpoint, once the endpoint is complete.</summary>
internal sealed partial class EndpointObserver : IEndpointConfigurationObserver
{
    private readonly PointPlaces _places = new();
    private readonly ConcurrentDictionary<string, bool> _queues = new(StringComparer.Ordinal);
    private readonly IServiceProvider _services;
    private readonly GradientRetryOptions _options;
    private readonly GradientRetryConfiguration _configuration;
    private readonly PointSettings _settings;
    private readonly TopologyManagement _manage;
    private readonly ILoggerFactory _logging;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly OutcomePublisher _publisher;
    private readonly UnseenByAmqp _unseen;
    private readonly BusSettings _bus;
    private readonly PointPipeline _pipeline;

    public EndpointObserver(IServiceProvider services, GradientRetryOptions options)
    {
        _services = services;
        _options = options;
        _configuration = GradientRetryConfiguration.Read(services.GetService<IConfiguration>()?.GetSection(GradientRetryConfiguration.SectionName));
        _manage = _configuration.ManageTopology ?? options.ManageTopology;
        _logging = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        _logger = _logging.CreateLogger<EndpointObserver>();
        _settings = new PointSettings(_configuration, options, _logger);
        _time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        _publisher = new OutcomePublisher(_time, Random.Shared, _logging.CreateLogger<OutcomePublisher>());
        Keeper = new TopologyKeeper(_manage, options.Rounds, _time, Random.Shared, _logging.CreateLogger<TopologyKeeper>());
        _unseen = new UnseenByAmqp(_manage, _logging.CreateLogger<UnseenByAmqp>());
        _bus = _configuration.Bus.Over(options.Bus);
        Upkeep = new BusUpkeep(_bus, _manage, options.LostRounds, services.GetRequiredService<ProcessControls>, _time, _logging);
        _pipeline = new PointPipeline(options.Suspicion, services.GetService<IIdempotencyStore>, _time, _logging);
    }

    /// <summary>The queues of all endpoints of the bus, retry points or not.</summary>
    public ICollection<string> Queues => _queues.Keys;

    /// <summary>Looks after the topology of the bus.</summary>
    public TopologyKeeper Keeper { get; }

    /// <summary>What the bus does beside consuming.</summary>
    public BusUpkeep Upkeep { get; }

    /// <summary>The endpoints that appsettings speak of.</summary>
    public IEnumerable<string> NamesInSettings => _configuration.Endpoints.Keys;

    private RetryMetrics Metrics => _services.GetRequiredService<RetryMetrics>();

    public void EndpointConfigured<T>(T configurator)
        where T : IReceiveEndpointConfigurator
    {
        if (configurator is IEndpointConfiguration { IsBusEndpoint: true })
        {
            return;
        }

        _queues[PointEligibility.QueueOf(configurator)] = true;
        var layers = EndpointLayers.Of(configurator);
        if (layers.Disabled)
        {
            if (layers.WhyNotDisabled is { } needed)
            {
                GradientRetrySpecification.Refuse(configurator, needed);
            }

            return;
        }

        switch (configurator)
        {
            case IRabbitMqReceiveEndpointConfiguration rabbit:
                AddTo((IRabbitMqReceiveEndpointConfigurator)configurator, rabbit.Settings, layers);
                break;

            case IInMemoryReceiveEndpointConfiguration:
                AddTo(configurator, layers);
                break;

            default:
                GradientRetrySpecification.Refuse(
                    configurator,
                    $"Graded retry runs on RabbitMQ (and on the in-memory transport, for tests); found {configurator.GetType().Name}. Call DisableGradientRetry on this endpoint, or remove AddGradientRetry from this bus.");
                break;
        }
    }

    private void AddTo(IRabbitMqReceiveEndpointConfigurator endpoint, ReceiveSettings settings, EndpointLayers layers)
    {
        var queue = settings.QueueName;
        if (PointEligibility.WhyNot(settings) is { } reason)
        {
            // left alone by itself; asked for by name, it is a mistake to say so
            if (layers.IsExplicit)
            {
                GradientRetrySpecification.Refuse(endpoint, reason);
            }
            else
            {
                LogLeftAlone(queue, reason);
            }

            return;
        }

        var telemetry = Metrics.Point(this, queue, _time);
        var times = new PointTimes(
            queue,
            new HoldTime(_bus.ConsumerTimeout),
            EffectiveSettings.Number(settings.QueueArguments.TryGetValue(TopologyPlan.DeliveryLimit, out var limit) ? limit : null),
            _time);
        var types = new ConsumedTypes(endpoint);
        var made = Add(
            endpoint,
            queue,
            types,
            layers,
            point => PointControl.Gate(point, telemetry.Health, times, _time, _logging),
            point => new RabbitMqRetryTransport(
                _places.Of(point.Queue, point.Rules),
                () => point.Rules,
                times,
                Keeper,
                _publisher,
                Upkeep.Instances,
                telemetry,
                _time));
        if (made is not var (point, compiled))
        {
            return;
        }

        if (_places.WhyUnusable(queue, point.Rules) is { } derived)
        {
            GradientRetrySpecification.Refuse(endpoint, derived);
            return;
        }

        var place = _places.Of(queue, point.Rules);
        _services.GetRequiredService<GradientRetryHealthCheck>().Add(telemetry.Health);
        var controlled = PointControl.Of(
            point,
            compiled,
            operators => _settings.Compile(queue, layers, operators),
            policy => new PointDescription(point, policy, place.HasRelease, settings, (IEndpointConfiguration)endpoint, types),
            Upkeep.Instances,
            telemetry,
            _logging);
        var topology = new PointTopology(
            place,
            Keeper,
            (connection, token) => Upkeep.StartAsync(connection, controlled, token),
            _manage,
            point.Rules,
            telemetry.Health,
            _unseen,
            settings.QueueArguments,
            _logging.CreateLogger<PointTopology>());
        Keeper.Add(queue, place.PointPlan);
        Upkeep.Add(times);
        if (_manage != TopologyManagement.OnStart || !settings.QueueArguments.ContainsKey(RabbitMQ.Client.Headers.XDeadLetterExchange))
        {
            _unseen.Add(queue, place.PointPlan.HasReleaseQueue);
        }

        var limiting = _logging.CreateLogger<PointLimiter>();
        var visits = new ReleaseVisits(place.Names, () => point.Rules.ReleasableWithin, point.Released, telemetry.Counts.Climbs, _time);
        var limiter = new PointLimiter(place, point.Rules, Keeper, times.Hold, visits, Upkeep.PulsesOf, () => settings.PrefetchCount, _time, limiting);
        new PointHealthSources(_manage, Keeper, limiter).Tell(telemetry.Health);
        endpoint.ConfigureChannel(channel =>
        {
            channel.UseFilter(topology);
            channel.UseFilter(limiter);
            channel.UseFilter(new EndpointTimeouts(times.Hold));
            channel.UseFilter(new EndpointIntakeFilter(controlled.Circuit.Own, () => settings.PrefetchCount));
            if (PointEligibility.MayBeQuorum(settings))
            {
                channel.UseFilter(new AcknowledgementBarrierFilter(queue, _logging.CreateLogger<AcknowledgementBarrierFilter>()));
            }
        });
        endpoint.ConnectReceiveEndpointObserver(new LateAcknowledgement(queue, _logging.CreateLogger<LateAcknowledgement>()));
        endpoint.ConnectReceiveEndpointObserver(topology);
        endpoint.ConnectReceiveEndpointObserver(limiter);
    }

    private void AddTo(IReceiveEndpointConfigurator endpoint, EndpointLayers layers)
    {
        var queue = PointEligibility.QueueOf(endpoint);
        var lot = _services.GetRequiredService<InMemoryParkingLot>();
        var telemetry = Metrics.Point(this, queue, _time);
        Add(endpoint, queue, new ConsumedTypes(endpoint), layers, null, point => new InMemoryRetryTransport(queue, point.Rules.MostRetries, lot, telemetry, _time));
    }

    private (RetryPoint Point, CompiledSettings Settings)? Add(
        IReceiveEndpointConfigurator endpoint,
        string queue,
        ConsumedTypes types,
        EndpointLayers layers,
        Func<RetryPoint, CircuitGate>? gate,
        Func<RetryPoint, IRetryTransport> transport)
    {
        var compiled = _settings.Compile(queue, layers);
        if (compiled.Rules is not { } rules)
        {
            endpoint.AddPrePipeSpecification(new GradientRetrySpecification(null, compiled.Findings));
            return null;
        }

        var point = new RetryPoint(queue, rules);
        var outcomes = new Lazy<IRetryTransport>(() => transport(point));
        point.Gate = gate?.Invoke(point);
        _pipeline.AddTo(endpoint, types, point, compiled.Findings, layers.Idempotency, outcomes, reason => LogLeftAlone(queue, reason));
        return (point, compiled);
    }

    [LoggerMessage(LogEvents.LeftAlone, LogLevel.Information, "{Queue}: left as MassTransit makes it: {Reason}")]
    private partial void LogLeftAlone(string queue, string reason);
}
