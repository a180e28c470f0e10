using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Has the deliveries of a point wait while its circuit is not closed, and makes probes of those that begin with a permit for one.</summary>
/// <param name="circuit">The circuit.</param>
/// <param name="rules">The rules of the point.</param>
/// <param name="patience">How long a delivery may be held at all.</param>
/// <param name="time">The clock.</param>
internal sealed class CircuitGate(PointCircuit circuit, Func<RetryRules> rules, Func<TimeSpan> patience, TimeProvider time)
{
    // what is held must still have time to be consumed before the broker takes it away
    private const int Share = 4;
    private static readonly TimeSpan LongestAside = TimeSpan.FromMinutes(1);
    private static readonly string Host = Environment.MachineName;

    /// <summary>Gets the circuit.</summary>
    public PointCircuit Circuit => circuit;

    /// <summary>Gets a value indicating whether deliveries begin at once.</summary>
    public bool IsFree => circuit.IsFree && !circuit.Own.IsClosed;

    /// <summary>Whether a delivery that came back from a process that died is no suspect, because there it only waited.</summary>
    /// <remarks>One that was there at as many deaths as make it poison is parked all the same.</remarks>
    public bool Excuses(RetryState state, CrashSuspicion suspicion) => circuit.IsOpen && !suspicion.Concerns(state, cameBack: false);

    /// <summary>Waits until a delivery may begin. One that has waited for too long is sent up the ladder for a minute.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="unconsumed">Makes the attempt of a delivery that nobody consumes.</param>
    /// <param name="settler">Settles what makes room.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <returns>How it begins, or that it does not.</returns>
    public async Task<Passage> EnterAsync(
        RetryDelivery delivery,
        Func<RetryDecision, IAttempt> unconsumed,
        OutcomeSettler settler,
        CancellationToken cancellationToken)
    {
        var probe = circuit.Own.Enter(delivery.Tag);
        var passage = await circuit.EnterAsync(
            delivery.State,
            delivery.CameBack,
            patience() / Share,
            delivery.Telemetry.Health.Held.Stopping,
            cancellationToken).ConfigureAwait(false);
        if (probe is not null && !passage.IsAside)
        {
            passage = new Passage(false, Probing(probe, passage.Permit));
        }

        if (passage.Permit is { } permit)
        {
            await permit.Tell(permit, new PermitUse(delivery.FallbackId, null)).ConfigureAwait(false);
        }

        if (passage.IsAside)
        {
            var exception = new CircuitOpenException(circuit.Queue);
            var waited = new FailedAttempt(exception, Host) { FallbackId = delivery.FallbackId, MessageDeadline = delivery.Deadline };
            var decision = RetryDecider.Postpone(delivery.State, waited, LongestAside, rules(), time.GetUtcNow());
            using var attempt = unconsumed(decision);
            await settler.SettleAsync(attempt, delivery, new AttemptEnd(exception, decision, ClimbCause.Postponed), cancellationToken).ConfigureAwait(false);
        }

        return passage;
    }

    /// <summary>Notes an error that does not show that the target is ill, and one by which it asks to be called less often.</summary>
    public void Note(RetryDelivery delivery, AttemptEnd end)
    {
        var evidence = HasAnswered(end) ? TargetEvidence.Ill : rules().EvidenceOf(end.Exception);
        if (evidence != TargetEvidence.Ill)
        {
            delivery.Telemetry.Counts.CountNotOfTarget();
        }

        if (evidence == TargetEvidence.Slow)
        {
            delivery.Telemetry.Counts.CountSlow();
        }
    }

    /// <summary>Tells whoever gave the permit how the delivery has ended, and takes a probe that failed out of the count of attempts.</summary>
    /// <param name="permit">The permit.</param>
    /// <param name="delivery">The delivery.</param>
    /// <param name="end">How it ended; <see langword="null"/> where it is done.</param>
    /// <param name="probed">Decides on a probe that failed, which comes back after a time.</param>
    public async Task<AttemptEnd?> EndAsync(Permit permit, RetryDelivery delivery, AttemptEnd? end, Func<AttemptEnd, TimeSpan, AttemptEnd> probed)
    {
        var answered = end is null || HasAnswered(end) || rules().EvidenceOf(end.Exception) == TargetEvidence.Slow;
        await permit.Tell(permit, new PermitUse(delivery.FallbackId, answered)).ConfigureAwait(false);
        if (answered || !permit.IsProbe)
        {
            return end;
        }

        var interval = circuit.Interval ?? LongestAside;
        var later = interval * Math.Pow(2, Math.Min(delivery.State.Probes, 30));
        return probed(end!, later < LongestAside ? later : LongestAside);
    }

    // this process tries itself; a cap on all deliveries counts it like any other
    private static Permit Probing(Action<PermitUse> probe, Permit? permit) => new(permit?.Number ?? 0, permit?.Judge ?? string.Empty, IsProbe: true)
    {
        Tell = (_, use) =>
        {
            probe(use);
            return permit is null ? Task.CompletedTask : permit.Tell(permit, use);
        },
    };

    // FAIL shows that the target is there, and so does a consumer that asks for another time
    private static bool HasAnswered(AttemptEnd end) => end.Decision switch
    {
        RetryDecision.Again => end.Cause == ClimbCause.Asked || end.Cause == ClimbCause.Postponed,
        RetryDecision.Park park => park.Reason != ParkReason.Exhausted && park.Reason != ParkReason.Expired && park.Reason != ParkReason.SwitchedOff,
        RetryDecision.Drop => false,
        _ => true,
    };
}
