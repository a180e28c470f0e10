using Retry.Messaging.Breaker;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Sets nodes apart that are ill while the target is not, and lets them take part again (<see cref="ApartRule"/>). Part of <see cref="CircuitSession"/>.</summary>
internal sealed class ApartJudge(PointCircuit circuit, ControlFollower follower, string by, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private (long Version, IReadOnlyList<ApartNode> Nodes) _written = (0, []);

    private IReadOnlyList<ApartNode> Apart => _written.Version > circuit.Own.LatestVersion ? _written.Nodes : circuit.Own.Apart;

    /// <summary>Forgets how the attempts ended of those that have come back: they were another time's.</summary>
    /// <param name="living">Every node that lives and serves the point, with the last number that it has come back from.</param>
    /// <param name="targets">What was heard of the attempts.</param>
    public void Welcome(IReadOnlyDictionary<string, long?> living, TargetWatch targets)
    {
        foreach (var node in Apart.Where(node => living.GetValueOrDefault(node.Node) >= node.Number))
        {
            targets.Forget(node.Node);
        }
    }

    /// <summary>Writes which nodes are set apart, if that has changed.</summary>
    /// <param name="living">Every node that lives and serves the point, with the last number that it has come back from.</param>
    /// <param name="ill">Those that are ill; <see langword="null"/> where the circuit is not closed, so that the target is taken for what is ill.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task JudgeAsync(IReadOnlyDictionary<string, long?> living, IReadOnlyDictionary<string, BreakerEvidence>? ill, CancellationToken cancellationToken)
    {
        var apart = Apart;
        var version = Math.Max(_written.Version, circuit.Own.LatestVersion) + 1;

        // a log that was made anew counts from the beginning, and nodes remember
        var number = Math.Max(version, (living.Values.Max() ?? 0) + 1);
        var next = ill is null ? [] : ApartRule.Next(apart, living, time.GetElapsedTime(_started) > PulseNodes.Silence, ill, number);
        if (next.SequenceEqual(apart))
        {
            return;
        }

        try
        {
            if (await follower.WriteAsync(new ApartDocument(circuit.Queue, next).Write(version, by, time.GetUtcNow()), cancellationToken).ConfigureAwait(false))
            {
                _written = (version, next);
            }
        }
        catch (ControlException)
        {
            // it is said by whoever follows the log; what is known stays as it is, and the next pulse asks again
        }
    }
}
