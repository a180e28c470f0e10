using System.Diagnostics;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>Some processes of <see cref="LedgerConsumer"/>, and what befalls them.</summary>
internal sealed class LedgerCluster : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Process[] _processes;

    public LedgerCluster(int processes, IReadOnlyDictionary<string, string> environment)
    {
        _environment = environment;
        _processes = [.. Enumerable.Range(0, processes).Select(_ => Start())];
    }

    public int Kills { get; private set; }

    public int Sleeps { get; private set; }

    /// <summary>Kills one process or lets one sleep, now and again, until something is over.</summary>
    /// <param name="random">Draws which, what and when.</param>
    /// <param name="every">The time between two troubles, on average.</param>
    /// <param name="longest">How long one sleeps at most.</param>
    /// <param name="isOver">Whether it is over.</param>
    public async Task TroubleAsync(Random random, TimeSpan every, TimeSpan longest, Func<bool> isOver)
    {
        while (!isOver())
        {
            await Scenario.PauseAsync(every * (0.5 + random.NextDouble()));
            var victim = random.Next(_processes.Length);
            if (random.Next(2) == 0)
            {
                await KillAsync(victim);
            }
            else
            {
                await SleepAsync(victim, longest * random.NextDouble());
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync().WaitAsync(Deadline);
            process.Dispose();
        }
    }

    private async Task KillAsync(int victim)
    {
        _processes[victim].Kill();
        await _processes[victim].WaitForExitAsync().WaitAsync(Deadline);
        _processes[victim].Dispose();
        _processes[victim] = Start();
        Kills++;
    }

    private async Task SleepAsync(int victim, TimeSpan time)
    {
        await Signals.SuspendAsync(_processes[victim].Id, Deadline);
        await Scenario.PauseAsync(time);
        Signals.Send(_processes[victim].Id, Signals.Continue);
        Sleeps++;
    }

    private Process Start() => TestProcess.Start(TestProcess.LedgerConsumerRole, _environment);
}
