using System.Globalization;
using System.Text;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;
using Testcontainers.RabbitMq;

namespace Retry.Messaging.Testing.Containers;

/// <summary>A broker in a container of its own, by Testcontainers; its ports are bound to 127.0.0.1 only.</summary>
/// <remarks>
/// Add it to <see cref="PrivateBrokerOptions.Sources"/>. Testcontainers finds the engine (Docker, or Podman by DOCKER_HOST) and removes what an owner
/// that was killed leaves behind; with TESTCONTAINERS_RYUK_DISABLED nobody does.
/// </remarks>
/// <param name="image">The image to run: RabbitMQ with its management plugin installed. It is pulled when the engine does not have it.</param>
public sealed class RabbitMqContainerSource(string image = RabbitMqContainerSource.DefaultImage) : IBrokerSource
{
    /// <summary>The same image as in docker-compose.yml: the oldest 4.x that the ladder was measured on.</summary>
    public const string DefaultImage = "rabbitmq:4.0.5-management";

    private const string Loopback = "127.0.0.1";
    private const int AmqpPort = 5672;
    private const int ManagementPort = 15672;
    private const string DefinitionsPath = "/etc/rabbitmq/definitions.json";

    private static readonly TimeSpan PingDeadline = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public string Way => "install Docker or Podman and start it";

    private static IDockerEndpointAuthenticationConfiguration? Engine => TestcontainersSettings.OS.DockerEndpointAuthConfig;

    /// <inheritdoc/>
    public async Task<string?> FindObstacleAsync(PrivateBrokerOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Root is not null || options.EpmdPort is not null)
        {
            return "the options ask for a node on this machine, by Root or EpmdPort";
        }

        if (Engine is null)
        {
            return "Testcontainers found no engine that answers (DOCKER_HOST, or the socket of Docker or of a rootless engine)";
        }

        using var docker = Engine.GetDockerClientBuilder().Build();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(PingDeadline);
        try
        {
            await docker.System.PingAsync(deadline.Token).ConfigureAwait(false);
            return null;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            return $"the engine at {Engine.Endpoint} does not answer ({exception.Message})";
        }
    }

    /// <inheritdoc/>
    public async Task<IBrokerNode> StartAsync(PrivateBrokerOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (Engine is null)
        {
            throw new BrokerUnavailableException($"Found no container engine. Wanted one that answers: {Way}.");
        }

        var ports = LoopbackPorts.Take(2);
        var container = Build(options, ports);
        try
        {
            await container.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await container.DisposeAsync().ConfigureAwait(false);
            if (exception is OperationCanceledException)
            {
                throw;
            }

            throw new BrokerUnavailableException($"The engine at {Engine.Endpoint} did not start a container of {image}: {exception.Message}", exception);
        }

        var address = new BrokerAddress(Loopback, ports[0], options.UserName, options.Password)
        {
            ManagementUri = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{Loopback}:{ports[1]}")),
        };
        return new RabbitMqContainerNode(container, Engine.GetDockerClientBuilder().Build(), address);
    }

    // Ports that we choose: those that the engine chooses change with a restart.
    private RabbitMqContainer Build(PrivateBrokerOptions options, IReadOnlyList<int> ports)
    {
        List<string> configuration = ["loopback_users = none", .. options.ConfigurationLines];
        var builder = new RabbitMqBuilder(image)
            .WithHostname(options.NodeName ?? "retry")
            .WithUsername(options.UserName)
            .WithPassword(options.Password)
            .WithPortBinding(ports[0], AmqpPort)
            .WithPortBinding(ports[1], ManagementPort)
            .WithCreateParameterModifier(BindToLoopback)
            // PrivateBroker waits until the broker answers. The builder's own strategy wants a line that only the official image writes to its output.
            .WithWaitStrategy(Wait.ForUnixContainer());
        if (options.Cookie is { } cookie)
        {
            builder = builder.WithEnvironment("RABBITMQ_ERLANG_COOKIE", cookie);
        }

        if (options.DefinitionsFile is { } definitions)
        {
            builder = builder.WithResourceMapping(File.ReadAllBytes(definitions), DefinitionsPath);
            configuration.Add($"load_definitions = {DefinitionsPath}");
        }

        string[] plugins = ["rabbitmq_management", "rabbitmq_prometheus", .. options.Plugins];
        return builder
            .WithResourceMapping(Text(string.Join('\n', configuration)), "/etc/rabbitmq/conf.d/90-private.conf")
            .WithResourceMapping(Text(options.AdvancedConfig ?? PrivateBrokerOptions.DefaultAdvancedConfig), "/etc/rabbitmq/advanced.config")
            .WithResourceMapping(Text($"[{string.Join(',', plugins)}]."), "/etc/rabbitmq/enabled_plugins")
            .Build();
    }

    // the engine would bind to 0.0.0.0
    private static void BindToLoopback(CreateContainerParameters parameters)
    {
        foreach (var binding in parameters.HostConfig!.PortBindings!.Values.SelectMany(bindings => bindings))
        {
            binding.HostIP = Loopback;
        }
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text + "\n");
}
