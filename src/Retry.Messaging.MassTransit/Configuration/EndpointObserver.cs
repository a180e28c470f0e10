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
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Makes a retry point of every durable endpoint, once the endpoint is complete.</summary>
internal sealed class EndpointObserver : IEndpointConfigurationObserver
{
    private readonly IServiceProvider _services;
    private readonly GradientRetryOptions _options;
    private readonly GradientRetryConfiguration _configuration;
    private readonly RetryPointSettings _busWide;
    private readonly TopologyManagement _manage;
    private readonly ILoggerFactory _logging;
    private readonly TimeProvider _time;
    private readonly OutcomePublisher _publisher;

    public EndpointObserver(IServiceProvider services, GradientRetryOptions options)
    {
        _services = services;
        _options = options;
        _busWide = options.Settings;
        _configuration = GradientRetryConfiguration.Read(services.GetService<IConfiguration>()?.GetSection(GradientRetryConfiguration.SectionName));
        _manage = _configuration.ManageTopology ?? options.ManageTopology;
        _logging = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        _time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        _publisher = new OutcomePublisher(_time, Random.Shared, _logging.CreateLogger<OutcomePublisher>());
    }

    public void EndpointConfigured<T>(T configurator)
        where T : IReceiveEndpointConfigurator
    {
        var layers = EndpointLayers.Of(configurator);
        if (layers.Disabled || configurator is IEndpointConfiguration { IsBusEndpoint: true })
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

            return;
        }

        if (BrokerNames.WhyNotADestination(queue) is { } unusable)
        {
            Refuse(endpoint, unusable);
            return;
        }

        var rules = Add(endpoint, queue, layers, (point, logger) =>
        {
            var rabbit = Rabbit(point.Queue, point.Rules);
            return new GradientRetryFilter(point, new RabbitMqRetryTransport(rabbit, _publisher, _time), _time, Random.Shared, logger);
        });
        if (rules is null)
        {
            return;
        }

        var topology = new PointTopology(Rabbit(queue, rules), _manage, rules, settings.QueueArguments, _logging.CreateLogger<PointTopology>());
        endpoint.ConfigureChannel(channel => channel.UseFilter(topology));
        endpoint.ConnectReceiveEndpointObserver(topology);
    }

    private void AddTo(IReceiveEndpointConfigurator endpoint, EndpointLayers layers)
    {
        var queue = endpoint.InputAddress.AbsolutePath.Trim('/');
        var parkingLot = _services.GetRequiredService<InMemoryParkingLot>();
        Add(endpoint, queue, layers, (point, logger) =>
            new GradientRetryFilter(point, new InMemoryRetryTransport(queue, parkingLot, _time), _time, Random.Shared, logger));
    }

    private RetryRules? Add(IReceiveEndpointConfigurator endpoint, string queue, EndpointLayers layers, Func<RetryPoint, ILogger, GradientRetryFilter> filter)
    {
        var settings = _configuration.SettingsFor(queue, layers.Code, layers.Definition, _busWide);
        IReadOnlyList<RetryFinding> findings = [.. _configuration.Findings, .. RetrySettingsValidator.Validate(settings, queue)];
        if (findings.Any(finding => finding.Severity == FindingSeverity.Error))
        {
            endpoint.AddPrePipeSpecification(new GradientRetrySpecification(null, findings));
            return null;
        }

        var rules = RetryRules.Compile(settings);
        var logger = _logging.CreateLogger<GradientRetryFilter>();
        endpoint.AddPrePipeSpecification(new GradientRetrySpecification(() => filter(new RetryPoint(queue, rules), logger), findings, new RedeliveryGuard(endpoint, queue)));
        return rules;
    }

    private RabbitMqPoint Rabbit(string queue, RetryRules rules) =>
        new(_options.QueueNames(queue), withRelease: false, _manage);

    private static string? WhyNotAPoint(ReceiveSettings settings)
    {
        var wanted = $"Queue '{settings.QueueName}' cannot be a retry point: wanted a durable queue that outlives its consumers, found ";
        if (!settings.Durable)
        {
            return wanted + "a transient one. Make it durable, or leave UseGradientRetry away.";
        }

        if (settings.AutoDelete || settings.QueueExpiration is not null)
        {
            return wanted + "one that is deleted when nobody uses it. Make it permanent, or leave UseGradientRetry away.";
        }

        if (settings.Exclusive)
        {
            return wanted + "an exclusive one. Leave UseGradientRetry away.";
        }

        return settings.QueueArguments.TryGetValue(RabbitMQ.Client.Headers.XQueueType, out var type) && type is "stream"
            ? wanted + "a stream, which nothing can return to. Leave UseGradientRetry away."
            : null;
    }
}
