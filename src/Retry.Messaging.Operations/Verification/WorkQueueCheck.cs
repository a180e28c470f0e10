using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Operations.Verification;

/// <summary>What a work queue, which is not ours, must be and have for its point to work and to disturb nobody else.</summary>
internal static class WorkQueueCheck
{
    private const int FirstVersionWithDeliveryLimit = 4;

    /// <summary>Looks at a work queue.</summary>
    /// <param name="work">The queue.</param>
    /// <param name="isIsolated">Whether its point has a release queue.</param>
    /// <param name="facts">What the broker has.</param>
    /// <param name="apply">The command that writes its policy, in quotes.</param>
    public static IEnumerable<TopologyFinding> Find(QueueFact work, bool isIsolated, BrokerFacts facts, string apply)
    {
        var subject = $"queue '{work.Name}'";
        if (!work.Durable || work.AutoDelete || work.Exclusive || work.Type == PolicyKeys.StreamType)
        {
            return [new(
                TopologyFindingKind.Different,
                subject,
                work.Type == PolicyKeys.StreamType ? "a stream" : "a queue that does not last",
                "a durable classic or quorum queue",
                "Declare the endpoint as durable, or call DisableGradientRetry on it.")];
        }

        if (AvailabilityCheck.IsOnStoppedNode(work, facts))
        {
            return AvailabilityCheck.Find(work, facts);
        }

        TopologyFinding?[] findings = [CouldStall(work, subject, isIsolated), BrokerParking(work, subject, facts, apply), Expires(work, subject)];
        return AvailabilityCheck.Find(work, facts).Concat(findings.OfType<TopologyFinding>());
    }

    private static TopologyFinding? CouldStall(QueueFact work, string subject, bool isIsolated)
    {
        var overflow = EffectiveSettings.Text(work, PolicyKeys.Overflow);
        if (isIsolated || !EffectiveSettings.HasLengthLimit(work) || overflow is not (PolicyKeys.RejectPublish or PolicyKeys.RejectPublishDeadLetter))
        {
            return null;
        }

        var limit = EffectiveSettings.Limit(work, PolicyKeys.MaxLength) is { } length
            ? $"max-length {length}"
            : $"max-length-bytes {EffectiveSettings.Limit(work, PolicyKeys.MaxLengthBytes)}";
        return new(
            TopologyFindingKind.CouldStall,
            subject,
            $"{limit} with overflow {overflow}: once full, the queue stalls every point whose messages are in the same rungs",
            "no length limit, or an isolated point",
            "Call Isolated() on the point, remove the limit, or let it drop the head (overflow drop-head).");
    }

    private static TopologyFinding? BrokerParking(QueueFact work, string subject, BrokerFacts facts, string apply)
    {
        var needs = ParkingNeeds.Find(work, isUnsetALimit: facts.MajorVersion >= FirstVersionWithDeliveryLimit);
        if (needs.Count == 0)
        {
            return null;
        }

        // a queue that was deleted has lost its binding too, so what begins with an argument ends with the command
        var steps = needs.Select(need => need.Obstacle).OfType<string>().ToList();
        if (steps.Count == 0 || needs.Any(need => need.Obstacle is null || need.IsArgument))
        {
            steps.Add($"{(steps.Count == 0 ? "Run" : "Then run")} {apply}, which writes the policy or prints it merged with the one that applies.");
        }

        return new(
            TopologyFindingKind.BrokerParking,
            subject,
            string.Join(", ", needs.Select(need => need.Found)),
            string.Join(", ", needs.Select(need => need.Wanted)) + ", because otherwise what the broker itself drops is not parked",
            string.Join(' ', steps));
    }

    private static TopologyFinding? Expires(QueueFact work, string subject) =>
        EffectiveSettings.Limit(work, PolicyKeys.Expires) is { } expires
            ? new(
                TopologyFindingKind.Policy,
                subject,
                $"expires {expires} ms, which deletes the queue while its messages are on the ladder",
                "none",
                "Take it out of the queue's arguments or its policy.")
            : null;
}
