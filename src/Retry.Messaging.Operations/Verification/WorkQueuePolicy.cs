using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Operations.Verification;

/// <summary>The policy by which the broker parks what it drops itself from a work queue: expired, rejected, delivered too often.</summary>
/// <remarks>
/// A policy, because work queues are MassTransit's: one argument more on a queue that exists is a 406 that keeps the bus from
/// starting. Only one policy applies to a queue, so what another policy sets is merged, and never overwritten unasked.
/// </remarks>
internal sealed record WorkQueuePolicy(string Queue, int Priority, IReadOnlyDictionary<string, object?> Definition)
{
    /// <summary>The broker's delivery limit is a net below our own search for culprits; restarts alone must never reach it.</summary>
    public const int DeliveryLimit = 1000;

    /// <summary>How a policy says that it is for queues of every type.</summary>
    public const string ApplyTo = "queues";

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Its name.</summary>
    public string Name => BrokerNames.WorkQueuePolicy(Queue);

    /// <summary>Matches the queue and no other, whatever characters its name has.</summary>
    public string Pattern => $"^{Regex.Escape(Queue)}$";

    /// <summary>What a work queue needs that has neither arguments nor a policy.</summary>
    public static WorkQueuePolicy For(string queue, bool isQuorum) => new(queue, 0, isQuorum ? ForQuorum(queue, atLeastOnce: true) : Parking(queue));

    /// <summary>What a work queue needs, merged with the policy that applies to it now.</summary>
    /// <remarks>A queue that holds only so much keeps its overflow: with reject-publish, which at-least-once needs, it would refuse and stall rungs.</remarks>
    public static WorkQueuePolicy For(QueueFact queue, PolicyFact? applied)
    {
        var overflow = queue.Arguments.GetValueOrDefault(PolicyKeys.Argument(PolicyKeys.Overflow))?.ToString();
        var canBeAtLeastOnce = !EffectiveSettings.HasLengthLimit(queue) && overflow is null or PolicyKeys.RejectPublish;
        var wanted = queue.Type == PolicyKeys.QuorumType ? ForQuorum(queue.Name, canBeAtLeastOnce) : Parking(queue.Name);
        if (applied is null || applied.Name == BrokerNames.WorkQueuePolicy(queue.Name))
        {
            return new WorkQueuePolicy(queue.Name, applied?.Priority ?? 0, wanted);
        }

        var merged = new SortedDictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, value) in applied.Definition)
        {
            merged[key] = value;
        }

        foreach (var (key, value) in wanted)
        {
            // a limit that is no lower than ours stays, and so does one that says there is none
            var isEnough = key == PolicyKeys.DeliveryLimit && EffectiveSettings.Number(merged.GetValueOrDefault(key)) is { } limit && !IsTooLow(limit);
            merged[key] = isEnough ? merged[key] : value;
        }

        return new WorkQueuePolicy(queue.Name, applied.Priority + 1, merged);
    }

    /// <summary>Whether a delivery limit is reached by restarts alone. A negative one is none: RabbitMQ 4 takes -1 for "unlimited".</summary>
    public static bool IsTooLow(long? limit) => limit is >= 0 and < DeliveryLimit;

    /// <summary>The definition as JSON.</summary>
    public string DefinitionJson => JsonSerializer.Serialize(Definition, Json);

    /// <summary>The command that writes it, for a shell.</summary>
    public string Command(string virtualHost) =>
        $"rabbitmqctl set_policy --vhost {Quoted(virtualHost)} --priority {Priority} --apply-to {ApplyTo} {Quoted(Name)} {Quoted(Pattern)} {Quoted(DefinitionJson)}";

    /// <summary>The body for the management API.</summary>
    public IReadOnlyDictionary<string, object?> ToBody() => new Dictionary<string, object?>
    {
        ["pattern"] = Pattern,
        ["apply-to"] = ApplyTo,
        ["priority"] = Priority,
        ["definition"] = Definition,
    };

    // RabbitMQ passes a whole policy over where one key of it means nothing to the queue's type: a classic queue gets these two only.
    private static SortedDictionary<string, object?> Parking(string queue) => new(StringComparer.Ordinal)
    {
        [PolicyKeys.DeadLetterExchange] = BrokerNames.ParkingExchange,
        [PolicyKeys.DeadLetterRoutingKey] = queue,
    };

    private static SortedDictionary<string, object?> ForQuorum(string queue, bool atLeastOnce)
    {
        var definition = Parking(queue);
        definition[PolicyKeys.DeliveryLimit] = (long)DeliveryLimit;
        if (atLeastOnce)
        {
            definition[PolicyKeys.DeadLetterStrategy] = PolicyKeys.AtLeastOnce;
            definition[PolicyKeys.Overflow] = PolicyKeys.RejectPublish;
        }

        return definition;
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
