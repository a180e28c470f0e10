using Retry.Messaging.Decisions;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Counting;
using Retry.Messaging.RabbitMq.Strategies;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What becomes of a message in the release queue that came by before it is due: it goes up again, or an operator has released it.</summary>
/// <param name="names">The point's queues.</param>
/// <param name="releasableWithin">After what time it comes by again.</param>
/// <param name="released">What operators have released.</param>
/// <param name="climbs">Counts what goes up.</param>
/// <param name="time">The clock.</param>
internal sealed class ReleaseVisits(RetryPointNames names, Func<TimeSpan?> releasableWithin, ReleasedMessages released, ClimbBook climbs, TimeProvider time)
{
    /// <summary>Looks at a message.</summary>
    /// <returns><see langword="null"/>: it has come to stay, as nearly all have. What else is wrong with it is seen before it is consumed.</returns>
    public ReleaseVisit? Of(LimitedDelivery delivery)
    {
        if (delivery.Properties.Headers is not { } headers || !RetryHeaderReader.ComesBy(headers))
        {
            return null;
        }

        var state = RetryHeaderReader.Read(headers, names.Work);
        var now = time.GetUtcNow();
        if (!state.IsVisit(now))
        {
            return null;
        }

        if (released.Have(state))
        {
            // its consumers would send up what is not due, and may not have read yet that it is released
            var due = new RetryDecision.Again(TimeSpan.Zero, now, state with { DueAt = now, ComesByAt = null });
            return new ReleaseVisit(
                OutcomeMessages.Climbing(delivery.Properties, delivery.Body, due, names.Work, DelayLadder.Route(TimeSpan.Zero, names.Work)),
                Climb: null);
        }

        var rest = new RetryDecision.Again(state.DueAt!.Value - now, state.DueAt.Value, state);
        var (route, again) = OutcomeMessages.RouteOf(rest, names.Release, now, releasableWithin());
        return new ReleaseVisit(
            OutcomeMessages.Climbing(delivery.Properties, delivery.Body, again, names.Work, route),
            new LimitedClimb(route.Delay, now));
    }

    /// <summary>Counts a message that the ladder has taken.</summary>
    public void Climbed(LimitedClimb climb) => climbs.Add(climb.Delay, climb.At);
}
