using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>What a reading of a parking lot is for.</summary>
/// <param name="Filter">Which messages.</param>
internal sealed record LotRequest(ParkedFilter Filter)
{
    /// <summary>Whether the selected messages come with their bodies.</summary>
    public bool WithBodies { get; init; }

    /// <summary>Whether selected messages are acknowledged while others are held.</summary>
    public bool TakesOut { get; init; }

    /// <summary>Messages that this plan has replayed already are not selected.</summary>
    public string? ExceptPlan { get; init; }

    /// <summary>Tells by its routing key that a message is not even read; <see langword="null"/> where all are.</summary>
    public Func<string, bool>? Skips { get; init; }

    /// <summary>What was read before; <see langword="null"/> for any message.</summary>
    public LotSet? Of { get; init; }

    /// <summary>What is not selected, whatever the filter says; <see langword="null"/> for nothing.</summary>
    public Func<ParkedMessage, bool>? Except { get; init; }

    public bool Selects(ParkedMessage message) =>
        Filter.Matches(message) && (ExceptPlan is null || message.Plan != ExceptPlan) && Except?.Invoke(message) != true && (Of is null || Of.TryMeet(message));

    /// <summary>Reads a delivery, if it is asked for.</summary>
    public ParkedMessage? Selected(LotSource source, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        if (Skips?.Invoke(routingKey) == true || (Of is not null && source.KeyOf(properties) is { } key && !Of.Contains(key)))
        {
            return null;
        }

        var message = source.Read(exchange, routingKey, properties, body);
        if (!Selects(message))
        {
            return null;
        }

        if (WithBodies)
        {
            // a copy: the client reuses the delivery's memory
            message.Body = body.ToArray();
            message.Properties = properties;
        }

        return message;
    }
}
