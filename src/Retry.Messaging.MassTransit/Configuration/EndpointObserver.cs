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
using Retry.Messaging.MassTransit.Filters;
using Retry.Messaging.MassTransit.InMemory;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.Naming;
using Retry.Messaging.Policies;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Parking;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.RabbitMq.Verification;
using Retry.Messaging.RabbitMq.Attempts;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Makes a retry point of every durable endpoint, once the endpoint is complete.</summary>
internal sealed partial class EndpointObserver : IEndpointConfigurationObserver
{
    private readonly ConcurrentDictionary<(string Queue, bool HasRelease), RabbitMqPoint> _places = new();
    private readonly ConcurrentDictionary<string, bool> _queues = new(StringComparer.Ordinal);
    private readonly IServiceProvider _services;
    private readonly GradientRetryOptions _options;
    private readonly GradientRetryConfiguration _configuration;
    private readonly RetryPointSettings _busWide;
    private readonly TopologyManagement _manage;
    private readonly ILoggerFactory _logging;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly OutcomePublisher _publisher;
    private readonly TopologyKeeper _keeper;
    private readonly UnseenByAmqp _unseen;
    private readonly BusSettings _bus;
    private readonly LostMover _mover;
    private readonly TimeoutWatch _timeouts;
    private readonly InstanceWatch _instances;
    private bool _told;

    public EndpointObserver(IServiceProvider services, GradientRetryOptions options)
    {
        _services = services;
        _options = options;
        _busWide = options.Settings;
        _configuration = GradientRetryConfiguration.Read(services.GetService<IConfiguration>()?.GetSection(GradientRetryConfiguration.SectionName));
        _manage = _configuration.ManageTopology ?? options.ManageTopology;
        _logging = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        _logger = _logging.CreateLogger<EndpointObserver>();
        _time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        _publisher = new OutcomePublisher(_time, Random.Shared, _logging.CreateLogger<OutcomePublisher>());
        _keeper = new TopologyKeeper(_manage, options.Rounds, _time, Random.Shared, _logging.CreateLogger<TopologyKeeper>());
        _unseen = new UnseenByAmqp(_manage, _logging.CreateLogger<UnseenByAmqp>());
        _bus = _configuration.Bus.Over(options.Bus);
        // where nobody looks after the topology here, nobody sends on what is lost
        var lostFor = _manage == TopologyManagement.Never ? TimeSpan.Zero : _bus.ForwardLostFor ?? RetryDefaults.ForwardLostFor;
        _mover = new LostMover(lostFor, binds: _manage == TopologyManagement.OnStart, options.LostRounds, _time, Random.Shared, _logging.CreateLogger<LostMover>());
        _timeouts = new TimeoutWatch(_time, _logging.CreateLogger<TimeoutWatch>());
        _instances = new InstanceWatch(_time, _logging.CreateLogger<InstanceWatch>());
    }

    /// <summary>The queues of all endpoints of the bus, retry points or not.</summary>
    public ICollection<string> Queues => _queues.Keys;

    /// <summary>Has this instance say that it stops.</summary>
    public Task EndAsync() => _instances.EndAsync();

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

        _queues[QueueOf(configurator)] = true;
        var layers = EndpointLayers.Of(configurator);
        if (layers.Disabled)
        {
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
                Refuse(configurator, $"Graded retry runs on RabbitMQ (and on the in-memory transport, for tests); found {configurator.GetType().Name}. Call DisableGradientRetry on this endpoint, or remove AddGradientRetry from this bus.");
                break;
        }
    }

    private static string QueueOf(IReceiveEndpointConfigurator endpoint) =>
        endpoint switch
        {
            IRabbitMqReceiveEndpointConfiguration rabbit => rabbit.Settings.QueueName,
            IInMemoryReceiveEndpointConfiguration => endpoint.InputAddress.AbsolutePath.Trim('/'),
            _ => string.Empty, // refused in a moment
        };

    private static void Refuse(IReceiveEndpointConfigurator endpoint, string message) =>
        endpoint.AddPrePipeSpecification(new GradientRetrySpecification(null, [new RetryFinding("GradientRetry", message)]));

    private void AddTo(IRabbitMqReceiveEndpointConfigurator endpoint, ReceiveSettings settings, EndpointLayers layers)
    {
        var queue = settings.QueueName;
        if (WhyNotAPoint(settings) is { } reason)
        {
            // left alone by itself; asked for by name, it is a mistake to say so
            if (layers.IsExplicit)
            {
                Refuse(endpoint, reason);
            }
            else
            {
                LogLeftAlone(queue, reason);
            }

            return;
        }

        if (BrokerNames.WhyNotADestination(queue) is { } unusable)
        {
            Refuse(endpoint, unusable);
            return;
        }

        var telemetry = Metrics.Point(this, queue, _time);
        var times = new PointTimes(queue, new HoldTime(_bus.ConsumerTimeout), EffectiveSettings.Number(settings.QueueArguments.TryGetValue(TopologyPlan.DeliveryLimit, out var limit) ? limit : null), _time);
        var rules = Add(endpoint, queue, layers, point => new RabbitMqRetryTransport(Rabbit(point.Queue, point.Rules), point.Rules.MostRetries, times, _keeper, _publisher, _instances, telemetry, _time));
        if (rules is null)
        {
            return;
        }

        // derived names, too: also what a function of the user's makes
        if (WhyUnusable(_options.QueueNames(queue), queue, rules.NeedsReleaseQueue) is { } derived)
        {
            Refuse(endpoint, derived);
            return;
        }

        var place = Rabbit(queue, rules);
        if (_manage != TopologyManagement.OnStart)
        {
            telemetry.Health.Unchecked = $"bindings and policies are not checked: 'retryctl topology verify --point {queue}' does";
        }

        if (_manage != TopologyManagement.Never)
        {
            telemetry.Health.Watch = () => _keeper.Trouble;
            telemetry.Health.Found(PointHealth.Ladder, "The ladder has not been looked at: there was no connection to the broker yet.");
        }

        _services.GetRequiredService<GradientRetryHealthCheck>().Add(telemetry.Health);
        var topology = new PointTopology(place, _keeper, ConnectedAsync, _manage, rules, telemetry.Health, _unseen, settings.QueueArguments, _logging.CreateLogger<PointTopology>());
        _keeper.Add(queue, place.PointPlan);
        _timeouts.Add(times);
        if (_manage != TopologyManagement.OnStart || !settings.QueueArguments.ContainsKey(RabbitMQ.Client.Headers.XDeadLetterExchange))
        {
            _unseen.Add(queue, place.PointPlan.HasReleaseQueue);
        }

        var limiter = new PointLimiter(place, rules, _keeper, times.Hold, () => settings.PrefetchCount, _time, _logging.CreateLogger<PointLimiter>());
        _services.GetService<LimiterHealthCheck>()?.Add(limiter);
        endpoint.ConfigureChannel(channel =>
        {
            channel.UseFilter(topology);
            channel.UseFilter(limiter);
            channel.UseFilter(new EndpointTimeouts(times.Hold));
            if (MayBeQuorum(settings))
            {
                channel.UseFilter(new LastAcknowledgements(queue, _logging.CreateLogger<LastAcknowledgements>()));
            }
        });
        endpoint.ConnectReceiveEndpointObserver(new LateAcknowledgement(queue, _logging.CreateLogger<LateAcknowledgement>()));
        endpoint.ConnectReceiveEndpointObserver(topology);
        endpoint.ConnectReceiveEndpointObserver(limiter);
    }

    private void AddTo(IReceiveEndpointConfigurator endpoint, EndpointLayers layers)
    {
        var queue = QueueOf(endpoint);
        var parkingLot = _services.GetRequiredService<InMemoryParkingLot>();
        var telemetry = Metrics.Point(this, queue, _time);
        Add(endpoint, queue, layers, point => new InMemoryRetryTransport(queue, point.Rules.MostRetries, parkingLot, telemetry, _time));
    }

    // every endpoint says so of the connection that they share, before it consumes
    private async Task ConnectedAsync(ConnectionContext context, string queue, CancellationToken cancellationToken)
    {
        await _instances.BeginAsync(context.Connection, queue, cancellationToken).ConfigureAwait(false);
        if (!context.TryGetPayload<RabbitMqHostSettings>(out var host))
        {
            return;
        }

        _mover.Start(context.Connection, cancellation => BusConnections.ConnectAsync(host, "lost messages", static _ => { }, cancellation));
        if (_bus.Management is { } management)
        {
            _timeouts.Start(context.Connection, () => ManagementOf(host, context.VirtualHost(), management));
        }
    }

    private static ManagementClient ManagementOf(RabbitMqHostSettings host, string virtualHost, string management)
    {
        var broker = BrokerAddress.Parse($"{(host.Ssl ? "amqps" : "amqp")}://{Uri.EscapeDataString(host.Username)}:{Uri.EscapeDataString(host.Password)}@{host.Host}:{host.Port}/{Uri.EscapeDataString(virtualHost)}");
        return new ManagementClient(broker, ManagementAddress.Of(broker, management));
    }

    private RetryRules? Add(IReceiveEndpointConfigurator endpoint, string queue, EndpointLayers layers, Func<RetryPoint, IRetryTransport> transport)
    {
        var settings = _configuration.SettingsFor(queue, layers.Code, layers.Definition, _busWide);
        // what is wrong with the appsettings is said once, not by each endpoint, nor again of what an endpoint merges from them
        IReadOnlyList<RetryFinding> findings =
        [
            .. Interlocked.Exchange(ref _told, true) ? [] : _configuration.Findings.Concat(_options.Bus.Validate("AddGradientRetry")),
            .. RetrySettingsValidator.Validate(settings, queue).Where(finding => !_configuration.Says(finding, queue)),
        ];
        foreach (var finding in findings.Where(finding => finding.Severity != FindingSeverity.Error))
        {
            LogSetting(finding.ToString());
        }

        if (_configuration.Findings.Concat(_options.Bus.Validate("AddGradientRetry")).Concat(findings).Any(finding => finding.Severity == FindingSeverity.Error))
        {
            endpoint.AddPrePipeSpecification(new GradientRetrySpecification(null, findings));
            return null;
        }

        var rules = RetryRules.Compile(settings);
        var point = new RetryPoint(queue, rules);
        var logger = _logging.CreateLogger<GradientRetryFilter>();
        var settler = new OutcomeSettler(queue, new RetryReporter(queue, _time, _logging.CreateLogger<RetryReporter>()), _time, _logging.CreateLogger<OutcomeSettler>());
        var outcomes = new Lazy<IRetryTransport>(() => transport(point));
        var types = new ConsumedTypes(endpoint);
        endpoint.AddPrePipeSpecification(new GradientRetrySpecification(
            () => new GradientRetryFilter(point, outcomes.Value, _options.Suspicion, types.Read, settler, _time, Random.Shared, logger),
            findings,
            new RedeliveryGuard(endpoint, queue),
            reason => LogLeftAlone(queue, reason)));
        AddForUnconsumed(endpoint, point, outcomes, settler);
        endpoint.ConnectConsumerConfigurationObserver(new BatchExceptionObserver());
        endpoint.ConnectActivityConfigurationObserver(new ActivityRetryObserver(activity => LogLeftAlone(queue, $"the compensation of {TypeCache.GetShortName(activity)} is not retried: its exceptions fault the routing slip at once")));
        return rules;
    }

    // What cannot be read, and what nobody consumes, never comes to the filter on the consume pipe. As with MassTransit's
    // own queues for them, whoever configured one of the two pipes keeps it as it is.
    private void AddForUnconsumed(IReceiveEndpointConfigurator endpoint, RetryPoint point, Lazy<IRetryTransport> outcomes, OutcomeSettler settler)
    {
        if (endpoint is not IEndpointConfiguration { Receive: var receive })
        {
            return;
        }

        if (!receive.ErrorConfigurator.Build().IsNotEmpty())
        {
            var logger = _logging.CreateLogger<UnreadableFilter>();
            receive.ErrorConfigurator.AddPipeSpecification(new LateFilterSpecification<ExceptionReceiveContext>(() => new UnreadableFilter(point, outcomes.Value, settler, _time, Random.Shared, logger)));
        }

        if (!receive.DeadLetterConfigurator.Build().IsNotEmpty())
        {
            var logger = _logging.CreateLogger<UnhandledFilter>();
            receive.DeadLetterConfigurator.AddPipeSpecification(new LateFilterSpecification<ReceiveContext>(() => new UnhandledFilter(point, outcomes.Value, _time, logger)));
        }
    }

    // one for each queue: who publishes to a point waits for the declaration that its endpoint began, and begins none beside it
    private RabbitMqPoint Rabbit(string queue, RetryRules rules) =>
        _places.GetOrAdd((queue, rules.NeedsReleaseQueue), place => new RabbitMqPoint(_options.QueueNames(place.Queue), place.HasRelease));

    private string? WhyUnusable(RetryPointNames? names, string queue, bool hasRelease) =>
        names?.Work != queue ? $"Queue '{queue}' cannot be a retry point: found {(names is null ? "no names" : $"the names of '{names.Work}'")}, wanted those of its own queues. Mend QueueNames."
        : names.WhyUnusable(hasRelease) is { } why ? why
        : hasRelease && _places.Values.FirstOrDefault(place => place.HasRelease && place.Names.Work != queue && place.Names.Release == names.Release) is { } other
            ? $"Queue '{queue}' cannot be limited or isolated: found '{names.Release}' as its release queue and as that of '{other.Names.Work}', wanted one for each. Mend QueueNames."
            : null;

    private static string? WhyNotAPoint(ReceiveSettings settings)
    {
        var wanted = $"Queue '{settings.QueueName}' cannot be a retry point: wanted a durable queue that outlives its consumers, found ";
        if (!settings.Durable)
        {
            return wanted + "a transient one. Make it durable, or call DisableGradientRetry on it.";
        }

        if (settings.AutoDelete || settings.QueueExpiration is not null)
        {
            return wanted + "one that is deleted when nobody uses it. Make it permanent, or call DisableGradientRetry on it.";
        }

        if (settings.Exclusive)
        {
            return wanted + "an exclusive one. Call DisableGradientRetry on it.";
        }

        return settings.QueueArguments.TryGetValue(RabbitMQ.Client.Headers.XQueueType, out var type) && type is "stream"
            ? wanted + "a stream, which nothing can return to. Call DisableGradientRetry on it."
            : null;
    }

    // a queue declared without a type has its virtual host's; a classic one needs no help, and refuses it where another instance consumes exclusively by now
    private static bool MayBeQuorum(ReceiveSettings settings) =>
        settings.QueueArguments.TryGetValue(RabbitMQ.Client.Headers.XQueueType, out var type) ? type is PolicyKeys.QuorumType : !settings.ExclusiveConsumer;

    // MassTransit shows a warning of its validation only beside an error
    [LoggerMessage(LogEvents.SettingDoubtful, LogLevel.Warning, "{Finding}")]
    private partial void LogSetting(string finding);

    [LoggerMessage(LogEvents.LeftAlone, LogLevel.Information, "{Queue}: left as MassTransit makes it: {Reason}")]
    private partial void LogLeftAlone(string queue, string reason);
}
