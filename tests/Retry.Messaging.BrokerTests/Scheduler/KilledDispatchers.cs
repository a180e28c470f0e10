using System.Diagnostics;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Two processes with a dispatcher; the one at work is killed, and another takes its place in the line.</summary>
internal sealed class KilledDispatchers : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly Queue<Process> _line = new();
    private readonly Uri _broker;

    private KilledDispatchers(Uri broker) => _broker = broker;

    public static async Task<KilledDispatchers> StartAsync(RawClient raw, Uri broker)
    {
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder);
        var dispatchers = new KilledDispatchers(broker);
        await dispatchers.AddAsync();
        await dispatchers.AddAsync();
        return dispatchers;
    }

    /// <summary>Kills the one at work again and again.</summary>
    /// <returns>How many were killed.</returns>
    public async Task<int> KillAsync(TimeSpan every, TimeSpan during)
    {
        var kills = 0;
        var clock = Stopwatch.StartNew();
        for (var next = every; next < during; next += every)
        {
            await Scenario.PauseUntilAsync(clock, next);
            using var dead = _line.Dequeue();
            dead.Kill();
            await dead.WaitForExitAsync();
            kills++;
            await AddAsync();
        }

        return kills;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var process in _line)
        {
            process.Kill();
            process.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private async Task AddAsync()
    {
        var process = TestProcess.Start(TestProcess.DispatcherRole, new Dictionary<string, string> { [DispatcherProcess.BrokerVariable] = _broker.ToString() });
        _line.Enqueue(process);
        (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(DispatcherProcess.Ready);
    }
}
