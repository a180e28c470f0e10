using RabbitMQ.Client;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Parking;

/// <summary>What a parked message looks like when it goes back to work: as it was sent, its attempts counted anew.</summary>
internal static class ReplayedCopy
{
    private const int MaxChanges = 300;

    /// <summary>The properties of the copy.</summary>
    /// <param name="parked">The message.</param>
    /// <param name="original">Its properties.</param>
    /// <param name="plan">The plan's id.</param>
    /// <param name="queue">The work queue that it goes to.</param>
    public static BasicProperties Of(ParkedMessage parked, IReadOnlyBasicProperties original, string plan, string queue)
    {
        var properties = Republication.With(original, Anew(parked, plan), queue);
        var headers = properties.Headers!;
        foreach (var name in headers.Keys.Where(IsAboutTheFault).ToList())
        {
            headers.Remove(name);
        }

        // delay zero passes no rung, so a priority stalls nobody
        if (parked.State.Kept.Priority is { } priority)
        {
            properties.Priority = priority;
        }

        headers.Remove(RetryHeaderNames.Tenant);
        headers.Remove(RetryHeaderNames.Changed);
        return properties;
    }

    /// <summary>Changes the copy as the plan says, and notes who did.</summary>
    public static void Change(BasicProperties copy, PlanTerms terms)
    {
        var headers = copy.Headers!;
        foreach (var (name, value) in terms.Headers)
        {
            headers[name] = value;
        }

        if (terms.Changes is { } changes)
        {
            headers[RetryHeaderNames.Changed] = HeaderText.OneLine(changes, MaxChanges);
        }
    }

    // Crashes go too: an operator decided that it may run again, and one more suspicion would park it at once.
    private static RetryState Anew(ParkedMessage parked, string plan) => new()
    {
        Id = parked.Id,
        Attempt = 1,
        History = parked.State.History,
        Replayed = parked.State.Replayed == int.MaxValue ? int.MaxValue : parked.State.Replayed + 1,
        Plan = plan,
        // its own time to live ended long ago; kept, that moment would park the copy at its first failure
        Kept = parked.State.Kept with { ExpiresAt = null },
    };

    private static bool IsAboutTheFault(string header) =>
        header.StartsWith(MassTransitHeaderNames.FaultPrefix, StringComparison.Ordinal)
        || header is MassTransitHeaderNames.Reason or MassTransitHeaderNames.RedeliveryCount;
}
