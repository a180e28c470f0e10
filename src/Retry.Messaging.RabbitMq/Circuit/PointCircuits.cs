using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Does something for the circuit of each point of the process, on its connection of control.</summary>
/// <param name="name">What, for people.</param>
/// <param name="circuits">The circuits of the points that there are at the moment.</param>
/// <param name="run">Does it for one, until it is cancelled.</param>
/// <param name="time">The clock.</param>
internal sealed class PointCircuits(
    string name,
    Func<IReadOnlyCollection<PointCircuit>> circuits,
    Func<PointCircuit, IConnection, CancellationToken, Task> run,
    TimeProvider time) : IControlPart
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var running = new Dictionary<PointCircuit, (Task Run, CancellationTokenSource Stop)>();
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                List<PointCircuit> wanted = [.. circuits().Where(circuit => circuit.IsWanted)];
                foreach (var circuit in wanted.Where(circuit => !running.ContainsKey(circuit)))
                {
                    var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    running[circuit] = (run(circuit, connection, stop.Token), stop);
                }

                foreach (var (circuit, (work, stop)) in running.Where(one => one.Value.Run.IsCompleted || !wanted.Contains(one.Key)).ToList())
                {
                    running.Remove(circuit);
                    await EndAsync(work, stop, throws: work.IsFaulted).ConfigureAwait(false);
                }

                await Task.Delay(Look, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            await Task.WhenAll(running.Values.Select(one => EndAsync(one.Run, one.Stop, throws: false))).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task EndAsync(IConnection connection, CancellationToken cancellationToken) => Task.CompletedTask;

    private static async Task EndAsync(Task work, CancellationTokenSource stop, bool throws)
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
        if (throws)
        {
            await work.ConfigureAwait(false);
        }
    }
}
