using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Circuit;

namespace Retry.Messaging.Operations.Rules;

/// <summary>What a rule's next step depends on, beside the rule and the time.</summary>
internal sealed record RuleFacts
{
    /// <summary>The plans of the point's parking lot.</summary>
    public required PlanBook Plans { get; init; }

    /// <summary>The point's circuit; <see langword="null"/> where it was never anything but closed.</summary>
    public CircuitDocument? Circuit { get; init; }

    /// <summary>Since when all instances of the point are of the rule's build; <see langword="null"/> where they are not.</summary>
    public DateTimeOffset? BuildSince { get; init; }
}
