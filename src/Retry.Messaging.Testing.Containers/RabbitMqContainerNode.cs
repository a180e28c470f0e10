using Docker.DotNet;
using Docker.DotNet.Models;
using Testcontainers.RabbitMq;

namespace Retry.Messaging.Testing.Containers;

/// <summary>A broker in a container. Testcontainers has neither a kill nor a stop that waits as long as RabbitMQ may need: these are asked
/// of the engine.</summary>
internal sealed class RabbitMqContainerNode(RabbitMqContainer container, DockerClient docker, BrokerAddress address) : IBrokerNode
{
    private const uint StopSeconds = 30;
    private const int LogLines = 40;

    public BrokerAddress Address => address;

    public bool IsOwnNode => true;

    public async Task KillAsync(CancellationToken cancellationToken)
    {
        await docker.Containers.KillContainerAsync(container.Id, new ContainerKillParameters { Signal = "SIGKILL" }, cancellationToken).ConfigureAwait(false);
        await docker.Containers.WaitContainerAsync(container.Id, cancellationToken).ConfigureAwait(false);
    }

    public Task StopAsync(CancellationToken cancellationToken) =>
        docker.Containers.StopContainerAsync(container.Id, new ContainerStopParameters { WaitBeforeKillSeconds = StopSeconds }, cancellationToken);

    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        await StopAsync(cancellationToken).ConfigureAwait(false);
        await docker.Containers.StartContainerAsync(container.Id, new ContainerStartParameters(), cancellationToken).ConfigureAwait(false);
    }

    public async Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await container.ExecAsync(["rabbitmqctl", .. arguments], cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0
            ? result.Stdout
            : throw new InvalidOperationException($"'rabbitmqctl {string.Join(' ', arguments)}' ended with {result.ExitCode}, wanted 0: {result.Stdout}{result.Stderr}");
    }

    public async Task<string> ReadLogAsync(CancellationToken cancellationToken)
    {
        var (output, error) = await container.GetLogsAsync(timestampsEnabled: false, ct: cancellationToken).ConfigureAwait(false);
        return string.Join(Environment.NewLine, (output + error).Split('\n').TakeLast(LogLines));
    }

    public async ValueTask DisposeAsync()
    {
        await container.DisposeAsync().ConfigureAwait(false);
        docker.Dispose();
    }
}
