using System.Collections.Concurrent;
using System.Diagnostics;

namespace Retry.Messaging.Testing;

/// <summary>A RabbitMQ broker for one test run or demo, gone when its owner is gone.</summary>
/// <remarks>
/// <para>Where it comes from, unless <see cref="PrivateBrokerOptions.Sources"/> says otherwise; first match wins:</para>
/// <list type="number">
/// <item><description>RETRY_TEST_BROKER (<c>amqp(s)://…</c>): a fresh virtual host on that broker, made and deleted through
/// its management API (RETRY_TEST_MANAGEMENT, or port 15672 of the same host).</description></item>
/// <item><description>An installed RabbitMQ: a node of our own with its own directory and free ports. AMQP, management,
/// distribution and epmd listen on 127.0.0.1 only.</description></item>
/// </list>
/// <para>RETRY_BROKER, the address that <c>retryctl</c> works on, is never read: tests must not reach production by an
/// environment variable that was left set.</para>
/// </remarks>
public sealed class PrivateBroker : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly IBrokerNode _node;
    private readonly TimeSpan _startTimeout;
    private readonly ManagementApi? _api;
    private readonly ConcurrentBag<string> _virtualHosts = [];

    private PrivateBroker(IBrokerNode node, TimeSpan startTimeout)
    {
        (_node, _startTimeout) = (node, startTimeout);
        _api = node.Address.ManagementUri is { } root ? new ManagementApi(root, UserName, Password) : null;
    }

    /// <summary>Gets the address to connect to, with user, password and virtual host.</summary>
    public Uri AmqpUri => _node.Address.AmqpUri;

    /// <summary>Gets the host name or address.</summary>
    public string Host => _node.Address.Host;

    /// <summary>Gets the AMQP port.</summary>
    public int Port => _node.Address.Port;

    /// <summary>Gets the virtual host.</summary>
    public string VirtualHost => _node.Address.VirtualHost;

    /// <summary>Gets the user name.</summary>
    public string UserName => _node.Address.UserName;

    /// <summary>Gets the password.</summary>
    public string Password => _node.Address.Password;

    /// <summary>Gets the root of the management API, or null where there is none.</summary>
    public Uri? ManagementUri => _node.Address.ManagementUri;

    /// <summary>Gets the version that the broker names itself, for example <c>3.10.8</c>.</summary>
    public string Version { get; private set; } = "unknown";

    /// <summary>Gets a value indicating whether this is a node of our own, which may be killed and restarted.</summary>
    public bool IsOwnNode => _node.IsOwnNode;

    /// <summary>Gets the process id of the Erlang VM, or null when it is down or runs elsewhere (a container, another machine).</summary>
    public int? ProcessId => _node.ProcessId;

    /// <summary>Gets the directory with configuration, data and logs, or null for a broker that we did not start.</summary>
    public string? DataDirectory => _node.DataDirectory;

    /// <summary>Starts a broker, or opens a fresh virtual host on the one that RETRY_TEST_BROKER names.</summary>
    /// <param name="options">How the node is set up; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up waiting; what was started until then is ended.</param>
    /// <returns>A broker that accepts connections. Dispose it to end it.</returns>
    /// <exception cref="BrokerUnavailableException">There is no way to a broker here, or it did not start.</exception>
    public static async Task<PrivateBroker> StartAsync(PrivateBrokerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new PrivateBrokerOptions();
        List<string> missing = [];
        foreach (var source in options.Sources)
        {
            var obstacle = await source.FindObstacleAsync(options, cancellationToken).ConfigureAwait(false);
            if (obstacle is null)
            {
                return await StartAsync(source, options, cancellationToken).ConfigureAwait(false);
            }

            missing.Add($"  {missing.Count + 1}. {source.Way}: {obstacle}");
        }

        throw new BrokerUnavailableException(
            "Found no RabbitMQ for a private broker; one of these ways is wanted:" + Environment.NewLine + string.Join(Environment.NewLine, missing) + Environment.NewLine +
            $"Another way is a source in {nameof(PrivateBrokerOptions)}.{nameof(PrivateBrokerOptions.Sources)}; the package Retry.Messaging.Testing.Containers has one for Docker and Podman.");
    }

    /// <summary>Makes a fresh virtual host that this broker's user may do everything in.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>An address to connect to, with user and password. The virtual host ends with the broker.</returns>
    /// <exception cref="InvalidOperationException">The broker has no management API.</exception>
    public async Task<Uri> CreateVirtualHostAsync(CancellationToken cancellationToken = default)
    {
        if (_api is null)
        {
            throw new InvalidOperationException(
                $"The broker at {Host}:{Port} has no management API, which makes virtual hosts. Let its source say where it is: {nameof(BrokerAddress)}.{nameof(BrokerAddress.ManagementUri)}.");
        }

        var name = VirtualHostName.Next();
        _virtualHosts.Add(name);
        await _api.CreateVirtualHostAsync(name, cancellationToken).ConfigureAwait(false);
        return (_node.Address with { VirtualHost = name }).AmqpUri;
    }

    /// <summary>Kills the node as a crash would (SIGKILL) and returns when it is gone. Its data stays for <see cref="RestartAsync"/>.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>A task that completes when the node is gone.</returns>
    /// <exception cref="InvalidOperationException">The broker is not a node of our own.</exception>
    public Task KillAsync(CancellationToken cancellationToken = default) => OwnNode("kill").KillAsync(cancellationToken);

    /// <summary>Shuts the node down in good order (SIGTERM) and returns when it is gone. Its data stays.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>A task that completes when the node is gone.</returns>
    /// <exception cref="InvalidOperationException">The broker is not a node of our own.</exception>
    public Task StopAsync(CancellationToken cancellationToken = default) => OwnNode("stop").StopAsync(cancellationToken);

    /// <summary>Starts the node on the same ports and data; one that still runs is stopped first.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>A task that completes when the node accepts connections.</returns>
    /// <exception cref="InvalidOperationException">The broker is not a node of our own.</exception>
    /// <exception cref="BrokerUnavailableException">The node did not start.</exception>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await OwnNode("restart").RestartAsync(cancellationToken).ConfigureAwait(false);
        await WaitUntilReadyAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs <c>rabbitmqctl</c> on the node: alarms, policies, <c>import_definitions</c>, <c>list_queues</c>.</summary>
    /// <param name="arguments">Its arguments, one each; the node name is added.</param>
    /// <returns>What it printed. A command costs one to three seconds: prefer the management API where there is a choice.</returns>
    /// <exception cref="InvalidOperationException">The broker is not a node of our own, or the command failed.</exception>
    public Task<string> ControlAsync(params string[] arguments) => ControlAsync(arguments, CancellationToken.None);

    /// <inheritdoc cref="ControlAsync(string[])"/>
    /// <param name="cancellationToken">Ends the command.</param>
    /// <param name="arguments">Its arguments, one each; the node name is added.</param>
    public Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        OwnNode("control").ControlAsync(arguments, cancellationToken);

    /// <summary>Ends the node and removes its directory, or deletes the virtual hosts that were made on somebody else's broker.</summary>
    /// <returns>A task that completes when nothing is left.</returns>
    public async ValueTask DisposeAsync()
    {
        try
        {
            while (!IsOwnNode && _virtualHosts.TryTake(out var name))
            {
                await _api!.DeleteVirtualHostAsync(name, CancellationToken.None).ConfigureAwait(false);
            }
        }
        finally
        {
            _api?.Dispose();
            await _node.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<PrivateBroker> StartAsync(IBrokerSource source, PrivateBrokerOptions options, CancellationToken cancellationToken)
    {
        var broker = new PrivateBroker(await source.StartAsync(options, cancellationToken).ConfigureAwait(false), options.StartTimeout);
        try
        {
            await broker.WaitUntilReadyAsync(cancellationToken).ConfigureAwait(false);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var elapsed = Stopwatch.StartNew();
        string? version;
        while ((version = await BrokerHandshake.TryAsync(_node.Address, cancellationToken).ConfigureAwait(false)) is null
            || (_api is not null && !await _api.AnswersAsync(cancellationToken).ConfigureAwait(false)))
        {
            if (elapsed.Elapsed > _startTimeout)
            {
                throw new BrokerUnavailableException(
                    $"RabbitMQ was not ready after {_startTimeout.TotalSeconds:0} s; wanted an answer at {Host}:{Port}. Its log says more:{Environment.NewLine}" +
                    await _node.ReadLogAsync(cancellationToken).ConfigureAwait(false));
            }

            await Task.Delay(Poll, cancellationToken).ConfigureAwait(false);
        }

        Version = version;
    }

    private IBrokerNode OwnNode(string verb) => _node.IsOwnNode
        ? _node
        : throw new InvalidOperationException(
            $"The broker at {Host}:{Port} was given by {BrokerEnvironment.TestBrokerVariable}; only a node of our own may be asked to {verb}. " +
            $"Set {nameof(PrivateBrokerOptions)}.{nameof(PrivateBrokerOptions.OwnNode)} to get one.");
}
