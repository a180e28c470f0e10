using System.Collections;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Security.Cryptography;
using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>A hash of all that a sender says: where the message goes, what its properties and headers are, and its body.</summary>
/// <remarks>
/// Every failing message needs one, so a thread keeps its digest and the memory that it writes into: made anew each time, they cost a
/// twentieth of what a retry takes of a processor. Not for two threads at a time.
/// </remarks>
internal sealed class SenderDigest
{
    // what one message with long headers needed is not kept for ever
    private const int MostKept = 64 * 1024;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _result = new byte[SHA256.HashSizeInBytes];
    private MemoryStream _said;
    private BinaryWriter _writer;

    public SenderDigest() => (_said, _writer) = Empty();

    /// <summary>The hash; valid until the next one.</summary>
    public ReadOnlySpan<byte> Of(
        string workQueue,
        string exchange,
        string routingKey,
        IReadOnlyBasicProperties properties,
        ReadOnlySpan<byte> body,
        DateTimeOffset? at)
    {
        if (_said.Capacity > MostKept)
        {
            (_said, _writer) = Empty();
        }

        // a table that cannot be written may have left a part of itself behind
        _said.SetLength(0);
        WriteTexts(
            workQueue,
            exchange,
            routingKey,
            properties.MessageId,
            properties.CorrelationId,
            properties.Type,
            properties.AppId,
            properties.ReplyTo,
            properties.ContentType);
        _writer.Write(properties.IsTimestampPresent() ? properties.Timestamp.UnixTime : -1);
        _writer.Write(at?.ToUnixTimeSeconds() ?? -1);
        WriteTable(properties.Headers, static name => !Republication.IsBrokers(name));

        _hash.AppendData(_said.GetBuffer().AsSpan(0, (int)_said.Length));
        _hash.AppendData(body);
        _hash.GetHashAndReset(_result);
        return _result;
    }

    private static (MemoryStream Said, BinaryWriter Writer) Empty()
    {
        var said = new MemoryStream();
        return (said, new BinaryWriter(said));
    }

    private void WriteTexts(params ReadOnlySpan<string?> texts)
    {
        foreach (var text in texts)
        {
            _writer.Write(text ?? string.Empty);
        }
    }

    private void WriteTable(IDictionary<string, object?>? table, Func<string, bool>? counts = null)
    {
        var entries = new List<KeyValuePair<string, object?>>(table?.Count ?? 0);
        foreach (var entry in table ?? ReadOnlyDictionary<string, object?>.Empty)
        {
            if (counts is null || counts(entry.Key))
            {
                entries.Add(entry);
            }
        }

        entries.Sort(static (one, other) => string.CompareOrdinal(one.Key, other.Key));
        foreach (var (name, value) in entries)
        {
            _writer.Write(name);
            WriteValue(value);
        }

        _writer.Write(string.Empty);
    }

    private void WriteValue(object? value)
    {
        switch (value)
        {
            case byte[] bytes:
                _writer.Write(bytes.Length);
                _writer.Write(bytes);
                break;

            case BinaryTableValue { Bytes: { } bytes }:
                WriteValue(bytes);
                break;

            case IDictionary<string, object?> table:
                WriteTable(table);
                break;

            case IList list:
                _writer.Write(list.Count);
                foreach (var item in list)
                {
                    WriteValue(item);
                }

                break;

            default:
                _writer.Write(Convert.ToString(value, CultureInfo.InvariantCulture) ?? string.Empty);
                break;
        }
    }
}
