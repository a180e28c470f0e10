using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace Retry.Messaging.Testing;

/// <summary>A private node: an Erlang VM of our own behind a <see cref="NodeGuard"/>.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ErlangNode : IBrokerNode
{
    private const int LogLines = 40;
    private const int LinesBeforeFailure = 10;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ControlDeadline = TimeSpan.FromSeconds(60);

    private readonly ErlangNodeLayout _layout;
    private readonly TimeSpan _startTimeout;
    private readonly NodeGuard _guard;

    private ErlangNode(ErlangNodeLayout layout, TimeSpan startTimeout, NodeGuard guard) =>
        (_layout, _startTimeout, _guard) = (layout, startTimeout, guard);

    public BrokerAddress Address => _layout.Address;

    public bool IsOwnNode => true;

    public int? ProcessId { get; private set; }

    public string? DataDirectory => _layout.Directory;

    /// <summary>Starts the guard and its epmd, not yet the node.</summary>
    public static async Task<ErlangNode> CreateAsync(ErlangNodeLayout layout, TimeSpan startTimeout, CancellationToken cancellationToken)
    {
        string[] arguments = [layout.EpmdPort.ToString(CultureInfo.InvariantCulture), layout.ServerPath, .. layout.Prefix];
        var guard = await NodeGuard.StartAsync(typeof(ErlangNode).Assembly, "erlang-node-guard.sh", layout.Directory, arguments, cancellationToken).ConfigureAwait(false);
        return new ErlangNode(layout, startTimeout, guard);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var elapsed = Stopwatch.StartNew();

        // First epmd: a node that finds none starts a shared one.
        while (!await LoopbackPorts.AnswersAsync(_layout.EpmdPort, cancellationToken).ConfigureAwait(false))
        {
            await WaitOrFailAsync("epmd", elapsed, cancellationToken).ConfigureAwait(false);
        }

        ProcessId = int.Parse(await _guard.AskAsync("start", cancellationToken).ConfigureAwait(false), CultureInfo.InvariantCulture);
        while (!await LoopbackPorts.AnswersAsync(Address.Port, cancellationToken).ConfigureAwait(false)
            || !await LoopbackPorts.AnswersAsync(Address.ManagementUri!.Port, cancellationToken).ConfigureAwait(false)
            || await BrokerHandshake.TryAsync(Address, cancellationToken).ConfigureAwait(false) is null)
        {
            await WaitOrFailAsync("RabbitMQ", elapsed, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task KillAsync(CancellationToken cancellationToken)
    {
        await _guard.AskAsync("kill", cancellationToken).ConfigureAwait(false);
        ProcessId = null;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _guard.AskAsync("term", cancellationToken).ConfigureAwait(false);
        var elapsed = Stopwatch.StartNew();
        while (IsRunning() && elapsed.Elapsed < StopDeadline)
        {
            await Task.Delay(Poll, cancellationToken).ConfigureAwait(false);
        }

        await KillAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        if (IsRunning())
        {
            await StopAsync(cancellationToken).ConfigureAwait(false);
        }

        await StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var command = _layout.Tool("rabbitmqctl", arguments);
        var (exitCode, output) = await CommandLine.RunAsync(command, ControlDeadline, cancellationToken).ConfigureAwait(false);
        return exitCode == 0
            ? output
            : throw new InvalidOperationException($"'rabbitmqctl {string.Join(' ', arguments)}' ended with {exitCode?.ToString(CultureInfo.InvariantCulture) ?? "no exit code"}, wanted 0: {output}");
    }

    public async ValueTask DisposeAsync()
    {
        await _guard.DisposeAsync().ConfigureAwait(false);
        ProcessId = null;
    }

    private async Task WaitOrFailAsync(string what, Stopwatch elapsed, CancellationToken cancellationToken)
    {
        var died = ProcessId is not null && !IsRunning();
        if (died || elapsed.Elapsed > _startTimeout)
        {
            throw new BrokerUnavailableException(
                $"{what} {(died ? "ended while starting" : $"was not ready after {_startTimeout.TotalSeconds:0} s")}; wanted an answer on 127.0.0.1:" +
                $"{Address.Port}. Its log says more:{Environment.NewLine}{LogExcerpt()}");
        }

        await Task.Delay(Poll, cancellationToken).ConfigureAwait(false);
    }

    // A zombie is dead: it only waits for the guard to collect it.
    private bool IsRunning()
    {
        try
        {
            return ProcessId is { } id && !File.ReadAllText($"/proc/{id}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private string LogExcerpt()
    {
        var logs = Directory.EnumerateFiles(Path.Combine(_layout.Directory, "log"), "*.log").Order()
            .Concat([Path.Combine(_layout.Directory, "epmd.log"), Path.Combine(_layout.Directory, "out.log")])
            .Where(File.Exists);
        var lines = logs.SelectMany(File.ReadLines).Where(line => line.Length > 0).ToList();

        // A failed boot names its cause once, then prints a hundred lines of crash report.
        var failure = lines.FindIndex(line => line.Contains("BOOT FAILED", StringComparison.Ordinal));
        return string.Join(Environment.NewLine, failure < 0 ? lines.TakeLast(LogLines) : lines.Skip(failure - LinesBeforeFailure).Take(LogLines));
    }
}
