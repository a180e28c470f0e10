using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Operations.Verification;

/// <summary>Names the policy that a setting of a queue comes from.</summary>
internal static class PolicySource
{
    /// <summary>Names it, so that the operator knows what to change.</summary>
    public static string Of(BrokerFacts facts, QueueFact queue, string key)
    {
        var isPolicys = queue.Policy is not null
            && (queue.OperatorPolicy is null
                || (facts.Policies?.FirstOrDefault(policy => policy.Name == queue.Policy) is { } known
                    && known.Definition.TryGetValue(key, out var value)
                    && EffectiveSettings.Number(value) == EffectiveSettings.Number(queue.EffectivePolicy.GetValueOrDefault(key))
                    && value?.ToString() == queue.EffectivePolicy.GetValueOrDefault(key)?.ToString()));
        return isPolicys ? $"policy '{queue.Policy}'"
            : queue.OperatorPolicy is not null ? $"operator policy '{queue.OperatorPolicy}'"
            : "a policy";
    }
}
