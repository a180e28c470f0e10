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

    private static SenderDigest Digest => _digest ??= new SenderDigest();

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
        DateTimeOffset? at = null) =>
        Named(properties.MessageId, Digest.Of(workQueue, exchange, routingKey, properties, body, at));

    /// <summary>A short id of a message that no chain has begun with: its hash alone, the same whenever it is delivered.</summary>
    /// <param name="queue">The queue that it lies in.</param>
    /// <param name="properties">Its properties; what the broker writes into its headers does not count.</param>
    /// <param name="body">Its body.</param>
    /// <param name="at">When it ended, where the broker ended it.</param>
    public static string Short(string queue, IReadOnlyBasicProperties properties, ReadOnlySpan<byte> body, DateTimeOffset? at) =>
        Named(messageId: null, Digest.Of(queue, string.Empty, string.Empty, properties, body, at));

    /// <summary>Whether a text can be a short id.</summary>
    public static bool IsShort(string text) =>
        text.Length == Nameless.Length + 1 + (2 * HashBytesAlone) && text.StartsWith($"{Nameless}{Separator}", StringComparison.Ordinal)
        && text.Skip(Nameless.Length + 1).All(char.IsAsciiHexDigitLower);

    /// <summary>An id that no other message has, for one that is known to be another although it is the same to the last byte.</summary>
    public static string Another(string? messageId) => Named(messageId, RandomNumberGenerator.GetBytes(HashBytesAlone));

    private static string Named(string? messageId, ReadOnlySpan<byte> hash) =>
        string.IsNullOrEmpty(messageId)
            ? string.Concat(Nameless, Separator, Convert.ToHexStringLower(hash[..HashBytesAlone]))
            : string.Concat(HeaderText.OneLine(messageId, MaxMessageId), Separator, Convert.ToHexStringLower(hash[..HashBytes]));
}
