using System.Globalization;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Verification;

/// <summary>What a work queue, which is not ours, must be and have for its point to work and to disturb nobody else.</summary>
internal static class WorkQueueCheck
{
    private const string StreamType = "stream";
    private const int FirstVersionWithDeliveryLimit = 4;

    /// <summary>Looks at a work queue.</summary>
    /// <param name="work">The queue.</param>
    /// <param name="isIsolated">Whether its point has a release queue.</param>
    /// <param name="facts">What the broker has.</param>
    public static IEnumerable<TopologyFinding> Find(QueueFact work, bool isIsolated, BrokerFacts facts)
    {
        var subject = $"queue '{work.Name}'";
        if (!work.Durable || work.AutoDelete || work.Exclusive || work.Type == StreamType)
        {
            return [new(TopologyFindingKind.Different, subject, work.Type == StreamType ? "a stream" : "a queue that does not last", "a durable classic or quorum queue", "Declare the endpoint as durable, or call DisableGradientRetry on it.")];
        }

        TopologyFinding?[] findings = [CouldStall(work, subject, isIsolated), BrokerParking(work, subject, facts), Expires(work, subject)];
        return AvailabilityCheck.Find(work, facts).Concat(findings.OfType<TopologyFinding>());
    }

    private static TopologyFinding? CouldStall(QueueFact work, string subject, bool isIsolated)
    {
        var overflow = EffectiveSettings.Text(work, PolicyKeys.Overflow);
        if (isIsolated || !EffectiveSettings.HasLengthLimit(work) || overflow is not (PolicyKeys.RejectPublish or PolicyKeys.RejectPublishDeadLetter))
        {
            return null;
        }

        var limit = EffectiveSettings.Limit(work, PolicyKeys.MaxLength) is { } length ? $"max-length {length}" : $"max-length-bytes {EffectiveSettings.Limit(work, PolicyKeys.MaxLengthBytes)}";
        return new(TopologyFindingKind.CouldStall, subject, $"{limit} with overflow {overflow}: once full, it stalls every point whose messages are in the same rungs", "no length limit, or an isolated point", "Call Isolated() on the point, remove the limit, or let it drop the head (overflow drop-head).");
    }

    private static TopologyFinding? BrokerParking(QueueFact work, string subject, BrokerFacts facts)
    {
        var missing = new List<(string Found, string Wanted)>();
        Want(PolicyKeys.DeadLetterExchange, BrokerNames.ParkingExchange);
        Want(PolicyKeys.DeadLetterRoutingKey, work.Name);
        if (work.Type == PolicyKeys.QuorumType)
        {
            if (!EffectiveSettings.HasLengthLimit(work))
            {
                Want(PolicyKeys.DeadLetterStrategy, PolicyKeys.AtLeastOnce);
                Want(PolicyKeys.Overflow, PolicyKeys.RejectPublish);
            }

            // unset, RabbitMQ 4 drops a message after 20 returns; before, there was no limit
            var limit = EffectiveSettings.Limit(work, PolicyKeys.DeliveryLimit);
            if (limit is null ? facts.MajorVersion >= FirstVersionWithDeliveryLimit : limit is >= 0 and < WorkQueuePolicy.DeliveryLimit)
            {
                missing.Add(($"{PolicyKeys.DeliveryLimit} {(limit is null ? "not set, which is 20" : limit.Value.ToString(CultureInfo.InvariantCulture))}", $"{PolicyKeys.DeliveryLimit} {WorkQueuePolicy.DeliveryLimit} or more"));
            }
        }

        return missing.Count == 0 ? null : new(
            TopologyFindingKind.BrokerParking,
            subject,
            string.Join(", ", missing.Select(item => item.Found)),
            string.Join(", ", missing.Select(item => item.Wanted)) + ": otherwise what the broker itself drops is not parked",
            $"Run 'retryctl topology apply --point {work.Name}', which writes the policy or prints it merged with the one that applies.");

        void Want(string key, string wanted)
        {
            var found = EffectiveSettings.Text(work, key);
            if (found != wanted)
            {
                missing.Add(($"{key} {found ?? "not set"}", $"{key} {wanted}"));
            }
        }
    }

    private static TopologyFinding? Expires(QueueFact work, string subject) =>
        EffectiveSettings.Limit(work, PolicyKeys.Expires) is { } expires
            ? new(TopologyFindingKind.Policy, subject, $"expires {expires} ms, which deletes it while its messages are on the ladder", "none", "Take it out of the queue's arguments or its policy.")
            : null;
}
