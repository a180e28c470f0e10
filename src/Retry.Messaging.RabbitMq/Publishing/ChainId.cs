using System.Security.Cryptography;
using RabbitMQ.Client;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>The id of a message's chain, made at its first failure: its message id, and a hash of all that a sender says.</summary>
/// <remarks>
/// The message id alone is no key: one event goes to several queues, and some clients give one id to many messages. Nothing is drawn:
/// where a crash repeats the first failure, its repetition has the same id.
/// </remarks>
internal static class ChainId
{
    // 2^48: among 100,000 messages with one message id, two have the same hash with a probability of 1 in 56,000
    private const int HashBytes = 6;
    private const int HashBytesAlone = 10;
    private const char Separator = '-';
    private const string Nameless = "h";
    private const int MaxMessageId = RetryState.MaxId - 1 - (2 * HashBytes);

    [ThreadStatic]
    private static SenderDigest? _digest;

    /// <summary>The id of a message, the same whenever it is delivered.</summary>
    /// <param name="workQueue">The queue that it fails in.</param>
    /// <param name="exchange">Where it was published to.</param>
    /// <param name="routingKey">The key that it was published with.</param>
    /// <param name="properties">Its properties; what the broker writes into its headers does not count.</param>
    /// <param name="body">Its body.</param>
    /// <param name="at">When it ended, where the broker ended it.</param>
    public static string Of(
        string workQueue,
        string exchange,
        string routingKey,
        IReadOnlyBasicProperties properties,
        ReadOnlySpan<byte> body,
        DateTimeOffset? at = null)
    {
        var digest = _digest ??= new SenderDigest();
        return Named(properties.MessageId, digest.Of(workQueue, exchange, routingKey, properties, body, at));
    }

    /// <summary>An id that no other message has, for one that is known to be another although it is the same to the last byte.</summary>
    public static string Another(string? messageId) => Named(messageId, RandomNumberGenerator.GetBytes(HashBytesAlone));

    private static string Named(string? messageId, ReadOnlySpan<byte> hash) =>
        string.IsNullOrEmpty(messageId)
            ? string.Concat(Nameless, Separator, Convert.ToHexStringLower(hash[..HashBytesAlone]))
            : string.Concat(HeaderText.OneLine(messageId, MaxMessageId), Separator, Convert.ToHexStringLower(hash[..HashBytes]));
}
