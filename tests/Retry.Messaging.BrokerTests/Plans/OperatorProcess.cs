using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Plans;

/// <summary>An operator at another machine, who types one command and may be killed or put to sleep.</summary>
internal sealed class OperatorProcess : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private OperatorProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? string.Empty);
        process.BeginOutputReadLine();
    }

    /// <summary>What it has said so far.</summary>
    public string Said => string.Join('\n', _lines);

    public static OperatorProcess Type(Uri broker, string line) => new(TestProcess.Start(
        TestProcess.RetryCtlRole,
        new Dictionary<string, string> { [RetryCtlProcess.BrokerVariable] = broker.AbsoluteUri, [RetryCtlProcess.LineVariable] = line }));

    /// <summary>Kills it, without a warning.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(Deadline);
    }

    public Task SleepAsync() => Signals.SuspendAsync(_process.Id, Deadline);

    public void WakeUp() => Signals.Send(_process.Id, Signals.Continue);

    public Task SaysAsync(string text) => Eventually.TrueAsync(() => Said.Contains(text, StringComparison.Ordinal), Deadline, () => $"wanted '{text}', found:\n{Said}");

    /// <summary>Waits for its end.</summary>
    /// <returns>retryctl's exit code.</returns>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Deadline);
        await SaysAsync(RetryCtlProcess.Ended);
        return int.Parse(_lines.Last(line => line.StartsWith(RetryCtlProcess.Ended, StringComparison.Ordinal))[RetryCtlProcess.Ended.Length..], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }
}
