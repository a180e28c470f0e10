using System.Globalization;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>A control record as a message: all but the document stands outside the body, so that it can be read when the body cannot.</summary>
internal static class ControlRecordFormat
{
    /// <summary>Writes a record.</summary>
    public static BasicProperties Write(ControlRecord record)
    {
        var headers = new Dictionary<string, object?>
        {
            [ControlHeaderNames.Key] = record.Key,
            [ControlHeaderNames.Version] = record.Version,
            [ControlHeaderNames.By] = record.By,
            [ControlHeaderNames.At] = record.At.ToUnixTimeMilliseconds(),
        };
        if (record.IsRepeat)
        {
            headers[ControlHeaderNames.Repeat] = true;
        }

        return new BasicProperties
        {
            Type = record.Kind,
            MessageId = record.Id,
            ContentType = "application/json",
            Persistent = true,
            Headers = headers,
        };
    }

    /// <summary>Reads a record, or returns <see langword="null"/> when the message is none: the log has one order, and a stranger's message
    /// is passed over.</summary>
    public static ControlRecord? Read(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        if (properties is not { Type: { Length: > 0 } kind, MessageId: { Length: > 0 } id, Headers: { } headers }
            || RetryHeaderReader.Text(headers, ControlHeaderNames.Key) is not { Length: > 0 } key
            || Number(headers, ControlHeaderNames.Version) is not (> 0 and var version))
        {
            return null;
        }

        return new ControlRecord(kind, key, version, body)
        {
            Id = id,
            By = RetryHeaderReader.Text(headers, ControlHeaderNames.By) ?? string.Empty,
            At = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(Number(headers, ControlHeaderNames.At) ?? 0, 0, LatestMilliseconds)),
            IsRepeat = headers.TryGetValue(ControlHeaderNames.Repeat, out var repeat) && repeat is true,
        };
    }

    private static readonly long LatestMilliseconds = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private static long? Number(IDictionary<string, object?> headers, string name) => headers.TryGetValue(name, out var value)
        ? value switch
        {
            long number => number,
            int number => number,
            byte[] or string when long.TryParse(RetryHeaderReader.Text(headers, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) =>
                number,
            _ => null,
        }
        : null;
}
