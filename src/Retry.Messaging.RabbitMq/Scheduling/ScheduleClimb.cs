using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>The way of a scheduled message up the ladder, and what it carries meanwhile.</summary>
/// <param name="Route">Where it is published.</param>
/// <param name="Header">The value of <see cref="RetryHeaderNames.Schedule"/>.</param>
internal readonly record struct ScheduleClimb(LadderRoute Route, string Header)
{
    /// <summary>Begins a climb; what is due later than the ladder is long gets as far as it goes, and climbs again from there.</summary>
    /// <param name="state">What the message carries.</param>
    /// <param name="now">The current time.</param>
    public static ScheduleClimb Begin(ScheduleState state, DateTimeOffset now)
    {
        var rest = state.DueAt - now;
        var route = DelayLadder.Route(rest, BrokerNames.ScheduleQueue);
        return new(route, ScheduleHeader.Write(state with { LeavesAt = route.Delay < rest ? now + route.Delay : null }));
    }
}
