using System.Collections;
using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>What the broker wrote (x-death) when it dead-lettered a message out of its work queue.</summary>
/// <param name="Queue">The queue that the message died in.</param>
/// <param name="Reason">The broker's word: expired, delivery_limit, rejected or maxlen.</param>
/// <param name="At">When it happened first, in seconds.</param>
/// <param name="Exchange">The exchange that the message had come from.</param>
/// <param name="RoutingKey">The routing key it had come by.</param>
internal sealed record BrokerDeath(string Queue, string Reason, DateTimeOffset? At, string? Exchange, string? RoutingKey)
{
    private const string Header = "x-death";
    private const string Expired = "expired";

    /// <summary>The reason in our words.</summary>
    public ParkReason ParkReason => Reason switch
    {
        Expired => ParkReason.Expired,
        "delivery_limit" => ParkReason.Poison,
        "rejected" => ParkReason.Failed,
        "maxlen" => ParkReason.Undeliverable,
        _ => ParkReason.Parse(Reason),
    };

    /// <summary>The death in the work queue or its release queue. The time on a rung is a death too, but not the cause.</summary>
    public static BrokerDeath? Find(IDictionary<string, object?>? headers, RetryPointNames names)
    {
        BrokerDeath? elsewhere = null;
        foreach (var found in All(headers))
        {
            if (found.Queue == names.Work || found.Queue == names.Release)
            {
                return found;
            }

            elsewhere ??= found.Queue.StartsWith(BrokerNames.LadderPrefix, StringComparison.Ordinal) ? null : found;
        }

        return elsewhere;
    }

    /// <summary>The last death outside a queue.</summary>
    /// <param name="headers">The message's headers.</param>
    /// <param name="exceptIn">Where the message lies: what expired there has not failed there.</param>
    public static BrokerDeath? Latest(IDictionary<string, object?>? headers, string exceptIn) => All(headers).FirstOrDefault(death => death.Queue != exceptIn);

    // the newest comes first
    private static IEnumerable<BrokerDeath> All(IDictionary<string, object?>? headers)
    {
        if (headers is null || !headers.TryGetValue(Header, out var value) || value is not IList list)
        {
            yield break;
        }

        foreach (var death in list.OfType<IDictionary<string, object?>>())
        {
            if (Text(death, "reason") is { Length: > 0 } reason && Text(death, "queue") is { } queue)
            {
                yield return new BrokerDeath(queue, reason, Time(death), Text(death, "exchange"), RoutingKeyOf(death));
            }
        }
    }

    /// <summary>When the message left its last rung, by the broker's clock, in whole seconds; <see langword="null"/> when it left none.</summary>
    public static DateTimeOffset? LeftLadderAt(IDictionary<string, object?>? headers) =>
        headers is not null && headers.TryGetValue(Header, out var value) && value is IList list
            ? list.OfType<IDictionary<string, object?>>()
                .Where(death => Text(death, "reason") == Expired
                    && Text(death, "queue")?.StartsWith(BrokerNames.LadderPrefix, StringComparison.Ordinal) == true)
                .Max(Time)
            : null;

    private static string? RoutingKeyOf(IDictionary<string, object?> death) =>
        death.TryGetValue("routing-keys", out var value) && value is IList { Count: > 0 } keys ? AsText(keys[0]) : null;

    private static DateTimeOffset? Time(IDictionary<string, object?> death) =>
        death.TryGetValue("time", out var value) && value is AmqpTimestamp { UnixTime: >= 0 } time
            && time.UnixTime <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(time.UnixTime)
            : null;

    private static string? Text(IDictionary<string, object?> death, string name) => death.TryGetValue(name, out var value) ? AsText(value) : null;

    private static string? AsText(object? value) => value switch
    {
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        string text => text,
        _ => null,
    };
}
