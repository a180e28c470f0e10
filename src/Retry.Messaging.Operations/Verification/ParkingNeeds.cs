using System.Globalization;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Operations.Verification;

/// <summary>What a work queue lacks for the broker to park what it drops itself: verification tells it, and a policy is written for what one can set.</summary>
internal static class ParkingNeeds
{
    /// <summary>Finds it.</summary>
    /// <param name="queue">The work queue.</param>
    /// <param name="isUnsetALimit">Whether the broker limits deliveries where nobody says so.</param>
    public static IReadOnlyList<ParkingNeed> Find(QueueFact queue, bool isUnsetALimit)
    {
        var needs = new List<ParkingNeed>();
        Want(PolicyKeys.DeadLetterExchange, BrokerNames.ParkingExchange);
        Want(PolicyKeys.DeadLetterRoutingKey, queue.Name);
        if (queue.Type == PolicyKeys.QuorumType)
        {
            // one that holds only so much keeps its overflow: with reject-publish, which at-least-once needs, it would stall rungs
            if (!EffectiveSettings.HasLengthLimit(queue))
            {
                Want(PolicyKeys.DeadLetterStrategy, PolicyKeys.AtLeastOnce);
                Want(PolicyKeys.Overflow, PolicyKeys.RejectPublish);
            }

            WantDeliveries();
        }

        return needs;

        void Want(string key, string wanted)
        {
            var found = EffectiveSettings.Text(queue, key);
            if (found != wanted)
            {
                var argument = queue.Arguments.GetValueOrDefault(PolicyKeys.Argument(key));
                needs.Add(new ParkingNeed(
                    key,
                    $"{key} {found ?? "not set"}",
                    $"{key} {wanted}",
                    argument is null ? null : ArgumentWins(key, argument),
                    argument is not null));
            }
        }

        // unset, RabbitMQ 4 drops a message after 20 returns; before, there was no limit
        void WantDeliveries()
        {
            const string Key = PolicyKeys.DeliveryLimit;
            var limit = EffectiveSettings.Limit(queue, Key);
            if (limit is null ? !isUnsetALimit : !WorkQueuePolicy.IsTooLow(limit))
            {
                return;
            }

            var found = $"{Key} {(limit is null ? "not set, which is 20" : limit.Value.ToString(CultureInfo.InvariantCulture))}";
            var wanted = $"{Key} {WorkQueuePolicy.DeliveryLimit} or more";
            var argument = EffectiveSettings.Number(queue.Arguments.GetValueOrDefault(PolicyKeys.Argument(Key)));
            var isOperators = WorkQueuePolicy.IsTooLow(EffectiveSettings.Number(queue.OperatorDefinition.GetValueOrDefault(Key)));
            found += isOperators ? $" from operator policy '{queue.OperatorPolicy}'" : "";
            var obstacle = string.Join(' ', new[]
            {
                WorkQueuePolicy.IsTooLow(argument) ? ArgumentWins(Key, argument) : null,
                isOperators
                    ? $"Operator policy '{queue.OperatorPolicy}' wins over any policy with a higher {Key}: raise it there to {WorkQueuePolicy.DeliveryLimit} or more, or take it out."
                    : null,
            }.OfType<string>());
            needs.Add(new ParkingNeed(Key, found, wanted, obstacle.Length == 0 ? null : obstacle, WorkQueuePolicy.IsTooLow(argument)));
        }
    }

    private static string ArgumentWins(string key, object? value) =>
        $"The queue's own argument {PolicyKeys.Argument(key)} '{value}' wins over any policy: take it out of the endpoint's queue arguments, delete the queue while it is empty, and let its service declare it anew.";
}
