using System.Diagnostics;
using System.Globalization;

namespace Retry.Messaging.Testing;

/// <summary>A broker in a container of our own.</summary>
internal sealed class DockerNode(string docker, string container, string directory, BrokerAddress address, NodeGuard guard, TimeSpan startTimeout)
    : IBrokerNode
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CommandDeadline = TimeSpan.FromSeconds(60);

    private readonly ManagementApi _api = new(address.ManagementUri!, address.UserName, address.Password);

    public BrokerAddress Address => address;

    public string Version { get; private set; } = "unknown";

    public bool IsOwnNode => true;

    public int? ProcessId => null;

    public string? DataDirectory => directory;

    public async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var elapsed = Stopwatch.StartNew();
        string? version;
        while ((version = await BrokerHandshake.TryAsync(address, cancellationToken).ConfigureAwait(false)) is null
            || !await LoopbackPorts.AnswersAsync(address.ManagementUri!.Port, cancellationToken).ConfigureAwait(false))
        {
            if (elapsed.Elapsed > startTimeout)
            {
                var (_, log) = await CommandLine.RunAsync([docker, "logs", "--tail", "40", container], CommandDeadline, cancellationToken).ConfigureAwait(false);
                throw new BrokerUnavailableException(
                    $"RabbitMQ in container {container} was not ready after {startTimeout.TotalSeconds:0} s; wanted an answer on 127.0.0.1:{address.Port}. " +
                    $"Its log says more:{Environment.NewLine}{log}");
            }

            await Task.Delay(Poll, cancellationToken).ConfigureAwait(false);
        }

        Version = version;
    }

    public async Task<Uri> CreateVirtualHostAsync(CancellationToken cancellationToken)
    {
        var name = VirtualHostName.Next();
        await _api.CreateVirtualHostAsync(name, cancellationToken).ConfigureAwait(false);
        return (address with { VirtualHost = name }).AmqpUri;
    }

    public Task KillAsync(CancellationToken cancellationToken) => DockerAsync(["kill", "--signal", "KILL", container], CommandDeadline, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => DockerAsync(["stop", "--time", "30", container], CommandDeadline, cancellationToken);

    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        await StopAsync(cancellationToken).ConfigureAwait(false);
        await DockerAsync(["start", container], CommandDeadline, cancellationToken).ConfigureAwait(false);
        await WaitUntilReadyAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        DockerAsync(["exec", container, "rabbitmqctl", .. arguments], CommandDeadline, cancellationToken);

    public async Task<string> DockerAsync(IReadOnlyList<string> arguments, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var (exitCode, output) = await CommandLine.RunAsync([docker, .. arguments], deadline, cancellationToken).ConfigureAwait(false);
        return exitCode == 0
            ? output
            : throw new BrokerUnavailableException($"'{docker} {string.Join(' ', arguments)}' ended with {exitCode?.ToString(CultureInfo.InvariantCulture) ?? "no exit code"}, wanted 0: {output}");
    }

    public ValueTask DisposeAsync()
    {
        _api.Dispose();
        return guard.DisposeAsync();
    }
}
