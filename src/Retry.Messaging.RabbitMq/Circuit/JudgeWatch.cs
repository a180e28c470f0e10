using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Looks whether somebody judges the target, while this process is set apart. Where nobody does it is not for long.</summary>
internal static class JudgeWatch
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(5);

    /// <summary>Looks until it is cancelled.</summary>
    public static async Task RunAsync(PointCircuit circuit, IConnection connection, TimeProvider time, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        var judgedAt = time.GetTimestamp();
        while (true)
        {
            // in an alarm the broker does not answer this connection, which says nothing of who judges
            var lookedAt = time.GetTimestamp();
            if (!circuit.Own.IsApart || await CircuitJudge.IsThereAsync(look, circuit.Queue, cancellationToken).ConfigureAwait(false))
            {
                judgedAt = lookedAt;
            }

            circuit.Own.Judged(time.GetElapsedTime(judgedAt, lookedAt));
            await Task.Delay(Between, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
