using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>What a message looks like when it is published once more: as it was sent, but for what would harm it.</summary>
internal static class Republication
{
    private const string CcHeader = "CC";
    private const string BccHeader = "BCC";
    private const string DeathHeader = "x-death";
    private const string DeliveryCountHeader = "x-delivery-count";
    private const int MaxShortText = 255;

    private static readonly string[] BrokerHeaders =
    [
        // on 3.10 a republished x-death counts as a cycle, and the message is dropped
        DeathHeader,
        DeliveryCountHeader,
        "x-acquired-count",
        // written by RabbitMQ.Client's own confirm tracking
        RabbitMQ.Client.Constants.PublishSequenceNumberHeader,
    ];

    private static readonly string[] DeathHeaderPrefixes = ["x-first-death-", "x-last-death-"];

    private static readonly string[] BrokerHeaderPrefixes = [.. DeathHeaderPrefixes, "x-opt-"];

    /// <summary>Reads our headers, if they count: only on a delivery from an exchange of ours.</summary>
    public static RetryState ReadState(IReadOnlyBasicProperties properties, string exchange, string workQueue) =>
        BrokerNames.IsOfTheLadder(exchange) ? RetryHeaderReader.Read(properties.Headers, workQueue) : RetryState.Fresh;

    /// <summary>How often the broker has returned the message to its queue; a classic queue does not count.</summary>
    public static int Returns(IReadOnlyBasicProperties properties) =>
        properties.Headers is { } headers && headers.TryGetValue(DeliveryCountHeader, out var count)
            ? count switch
            {
                int number => Math.Max(number, 0),
                long number => (int)Math.Clamp(number, 0, int.MaxValue),
                byte or sbyte or short or ushort => Math.Max(Convert.ToInt32(count, CultureInfo.InvariantCulture), 0),
                uint number => (int)Math.Min(number, int.MaxValue),
                _ => 0,
            }
            : 0;

    /// <summary>What to remember of a first delivery, because it will be taken off.</summary>
    public static KeptProperties Keep(IReadOnlyBasicProperties properties, string exchange, string routingKey, DateTimeOffset? expiresAt) => new()
    {
        Exchange = exchange,
        RoutingKey = routingKey,
        Priority = properties.IsPriorityPresent() ? properties.Priority : null,
        Expiration = properties.IsExpirationPresent() ? properties.Expiration : null,
        ExpiresAt = expiresAt,
        UserId = properties.IsUserIdPresent() ? properties.UserId : null,
        Cc = Copies(properties.Headers, CcHeader),
        Bcc = Copies(properties.Headers, BccHeader),
    };

    /// <summary>When the message's own time to live ends, as far as it can be told.</summary>
    /// <remarks>The broker counts from the moment of queueing, which it does not show; counting from now is the best that is known.</remarks>
    public static DateTimeOffset? ExpiresAt(IReadOnlyBasicProperties properties, TimeProvider time)
    {
        if (!properties.IsExpirationPresent() || !long.TryParse(properties.Expiration, NumberStyles.None, CultureInfo.InvariantCulture, out var ms))
        {
            return null;
        }

        return time.GetUtcNow() + TimeSpan.FromMilliseconds(Math.Min(ms, uint.MaxValue));
    }

    /// <summary>The properties as the first delivery had them, for a consumer that looks at them.</summary>
    /// <remarks>All but BCC: the broker takes that off before it delivers a message.</remarks>
    public static IReadOnlyBasicProperties Restored(IReadOnlyBasicProperties properties, KeptProperties kept)
    {
        if (kept is { Priority: null, Expiration: null, UserId: null, Cc: null })
        {
            return properties;
        }

        var restored = new BasicProperties(properties);
        if (kept.Priority is { } priority)
        {
            restored.Priority = priority;
        }

        restored.Expiration = kept.Expiration ?? restored.Expiration;
        restored.UserId = kept.UserId ?? restored.UserId;
        if (kept.Cc is { } copies)
        {
            restored.Headers = new Dictionary<string, object?>(properties.Headers ?? new Dictionary<string, object?>())
            {
                [CcHeader] = copies.Select(object (copy) => Encoding.UTF8.GetBytes(copy)).ToList(),
            };
        }

        return restored;
    }

    /// <summary>A copy of the properties, stripped, with our headers.</summary>
    public static BasicProperties With(IReadOnlyBasicProperties original, RetryState state, string workQueue)
    {
        var properties = Stripped(original);
        RetryHeaderWriter.Write(properties.Headers!, state, workQueue);
        return properties;
    }

    /// <summary>A copy of the properties, stripped, with our state in one header: for a message that climbs.</summary>
    public static BasicProperties Climbing(IReadOnlyBasicProperties original, RetryState state, string workQueue)
    {
        var properties = Stripped(original);
        RetryHeaderWriter.WritePacked(properties.Headers!, state, workQueue);
        return properties;
    }

    /// <summary>A copy of the properties without what the broker wrote and without what would harm the copy.</summary>
    public static BasicProperties Stripped(IReadOnlyBasicProperties original)
    {
        var properties = AsSent(original);
        properties.ClearExpiration();
        properties.ClearPriority();
        return properties;
    }

    /// <summary>A copy of the properties for the place of the message itself, which keeps what the broker wrote of its death.</summary>
    public static BasicProperties InPlace(IReadOnlyBasicProperties original)
    {
        var properties = AsSent(original);
        foreach (var (name, value) in original.Headers ?? new Dictionary<string, object?>())
        {
            if (name == DeathHeader || DeathHeaderPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                properties.Headers![name] = value;
            }
        }

        return properties;
    }

    /// <summary>A copy of the properties without what the broker wrote, and without the orders that it would follow or refuse: CC, BCC, user id.</summary>
    public static BasicProperties AsSent(IReadOnlyBasicProperties original)
    {
        var headers = new Dictionary<string, object?>((original.Headers?.Count ?? 0) + 12);
        if (original.Headers is { } old)
        {
            foreach (var (name, value) in old)
            {
                if (!IsBrokers(name) && Fits(name) && CanBeWritten(value))
                {
                    headers[name] = value;
                }
            }
        }

        var properties = new BasicProperties(original) { Headers = headers };
        properties.ClearUserId();
        ClearUnwritable(properties);
        return properties;
    }

    // A byte that was no UTF-8 arrives as a character of three: a name may have grown beyond what can be written, and a
    // publish that fails half-way takes the channel along.
    private static bool CanBeWritten(object? value) => value switch
    {
        byte[] or ValueType => true,
        IDictionary<string, object?> table => table.All(entry => Fits(entry.Key) && CanBeWritten(entry.Value)),
        System.Collections.IList list => list.Cast<object?>().All(CanBeWritten),
        _ => true,
    };

    private static bool Fits(string? text) => text is null || Encoding.UTF8.GetByteCount(text) <= MaxShortText;

    private static void ClearUnwritable(BasicProperties properties)
    {
        properties.ContentType = Fits(properties.ContentType) ? properties.ContentType : null;
        properties.ContentEncoding = Fits(properties.ContentEncoding) ? properties.ContentEncoding : null;
        properties.CorrelationId = Fits(properties.CorrelationId) ? properties.CorrelationId : null;
        properties.ReplyTo = Fits(properties.ReplyTo) ? properties.ReplyTo : null;
        properties.MessageId = Fits(properties.MessageId) ? properties.MessageId : null;
        properties.Type = Fits(properties.Type) ? properties.Type : null;
        properties.AppId = Fits(properties.AppId) ? properties.AppId : null;
        properties.ClusterId = Fits(properties.ClusterId) ? properties.ClusterId : null;
    }

    /// <summary>Whether the broker writes a header of this name, or reads it as an order.</summary>
    internal static bool IsBrokers(string name)
    {
        if (name is CcHeader or BccHeader)
        {
            return true;
        }

        if (!name.StartsWith("x-", StringComparison.Ordinal))
        {
            return false;
        }

        foreach (var header in BrokerHeaders)
        {
            if (name == header)
            {
                return true;
            }
        }

        foreach (var prefix in BrokerHeaderPrefixes)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static List<string>? Copies(IDictionary<string, object?>? headers, string name) =>
        headers is not null && headers.TryGetValue(name, out var value) && value is System.Collections.IList list
            ? [.. list.Cast<object?>().Select(item => item switch
                {
                    byte[] bytes => Encoding.UTF8.GetString(bytes),
                    string text => text,
                    _ => null,
                }).OfType<string>()]
            : null;
}
