namespace Retry.Messaging.Wire;

/// <summary>What was taken off a message before it climbed, and is put back or shown later.</summary>
/// <remarks>
/// <c>expiration</c> would cut a delay short, <c>priority</c> stops a rung for everybody on RabbitMQ 4.0 to 4.2, CC and BCC
/// would deliver a second copy, and a user id is refused on another user's connection.
/// </remarks>
public sealed record KeptProperties
{
    /// <summary>Nothing was taken off.</summary>
    public static readonly KeptProperties None = new();

    /// <summary>The exchange of the first delivery.</summary>
    public string? Exchange { get; init; }

    /// <summary>The routing key of the first delivery.</summary>
    public string? RoutingKey { get; init; }

    /// <summary>The message's priority.</summary>
    public byte? Priority { get; init; }

    /// <summary>The message's time to live, in milliseconds as AMQP spells it: a string of digits.</summary>
    public string? Expiration { get; init; }

    /// <summary>The moment that <see cref="Expiration"/> stood for when the message first failed.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The user that published the message.</summary>
    public string? UserId { get; init; }

    /// <summary>Further routing keys (sender-selected distribution).</summary>
    public IReadOnlyList<string>? Cc { get; init; }

    /// <summary>Further routing keys that receivers do not see.</summary>
    public IReadOnlyList<string>? Bcc { get; init; }
}
