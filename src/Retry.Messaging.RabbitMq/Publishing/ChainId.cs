using System.Collections;
using System.Globalization;
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
        using var said = new MemoryStream();
        using var writer = new BinaryWriter(said);
        ReadOnlySpan<string?> texts =
        [
            workQueue, exchange, routingKey,
            properties.MessageId, properties.CorrelationId, properties.Type, properties.AppId, properties.ReplyTo, properties.ContentType,
        ];
        foreach (var text in texts)
        {
            writer.Write(text ?? string.Empty);
        }

        writer.Write(properties.IsTimestampPresent() ? properties.Timestamp.UnixTime : -1);
        writer.Write(at?.ToUnixTimeSeconds() ?? -1);
        WriteTable(writer, properties.Headers?.Where(header => !Republication.IsBrokers(header.Key)) ?? []);

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(said.GetBuffer().AsSpan(0, (int)said.Length));
        hash.AppendData(body);
        return Named(properties.MessageId, hash.GetHashAndReset());
    }

    /// <summary>An id that no other message has, for one that is known to be another although it is the same to the last byte.</summary>
    public static string Another(string? messageId) => Named(messageId, RandomNumberGenerator.GetBytes(HashBytesAlone));

    private static string Named(string? messageId, ReadOnlySpan<byte> hash) =>
        string.IsNullOrEmpty(messageId)
            ? string.Concat(Nameless, Separator, Convert.ToHexStringLower(hash[..HashBytesAlone]))
            : string.Concat(HeaderText.OneLine(messageId, MaxMessageId), Separator, Convert.ToHexStringLower(hash[..HashBytes]));

    private static void WriteTable(BinaryWriter writer, IEnumerable<KeyValuePair<string, object?>> table)
    {
        foreach (var (name, value) in table.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            writer.Write(name);
            WriteValue(writer, value);
        }

        writer.Write(string.Empty);
    }

    private static void WriteValue(BinaryWriter writer, object? value)
    {
        switch (value)
        {
            case byte[] bytes:
                writer.Write(bytes.Length);
                writer.Write(bytes);
                break;

            case BinaryTableValue { Bytes: { } bytes }:
                WriteValue(writer, bytes);
                break;

            case IDictionary<string, object?> table:
                WriteTable(writer, table);
                break;

            case IList list:
                writer.Write(list.Count);
                foreach (var item in list)
                {
                    WriteValue(writer, item);
                }

                break;

            default:
                writer.Write(Convert.ToString(value, CultureInfo.InvariantCulture) ?? string.Empty);
                break;
        }
    }
}
