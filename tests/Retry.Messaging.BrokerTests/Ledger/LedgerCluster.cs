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
    private int _kills;
    private int _sleeps;

    public LedgerCluster(int processes, IReadOnlyDictionary<string, string> environment)
    {
        _environment = environment;
        _processes = [.. Enumerable.Range(0, processes).Select(_ => Start())];
    }

    public int Kills => _kills;

    public int Sleeps => _sleeps;

    /// <summary>Kills each process or lets it sleep, now and again, until something is over: several at the same time, too.</summary>
    /// <param name="random">Draws what and when.</param>
    /// <param name="every">How long a process is left alone, on average.</param>
    /// <param name="longest">How long one sleeps at most.</param>
    /// <param name="isOver">Whether it is over.</param>
    public Task TroubleAsync(Random random, TimeSpan every, TimeSpan longest, Func<bool> isOver) =>
        Task.WhenAll(_processes.Select((_, victim) => TroubleAsync(victim, new Random(random.Next()), every, longest, isOver)));

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync().WaitAsync(Deadline);
            process.Dispose();
        }
    }

    private async Task TroubleAsync(int victim, Random random, TimeSpan every, TimeSpan longest, Func<bool> isOver)
    {
        while (!isOver())
        {
            await Scenario.PauseAsync(every * (0.5 + random.NextDouble()));
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

    private async Task KillAsync(int victim)
    {
        _processes[victim].Kill();
        await _processes[victim].WaitForExitAsync().WaitAsync(Deadline);
        _processes[victim].Dispose();
        _processes[victim] = Start();
        Interlocked.Increment(ref _kills);
    }

    private async Task SleepAsync(int victim, TimeSpan time)
    {
        await Signals.SuspendAsync(_processes[victim].Id, Deadline);
        await Scenario.PauseAsync(time);
        Signals.Send(_processes[victim].Id, Signals.Continue);
        Interlocked.Increment(ref _sleeps);
    }

    private Process Start() => TestProcess.Start(TestProcess.LedgerConsumerRole, _environment);
}
