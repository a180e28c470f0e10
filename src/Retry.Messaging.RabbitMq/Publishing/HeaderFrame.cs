using System.Collections;
using System.Collections.Frozen;
using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>Keeps a message's header frame below the size at which the broker closes the whole connection.</summary>
internal static class HeaderFrame
{
    // frame header and end (8), class, weight, body size and property flags (14), the fixed-size properties, and room to spare
    private const int Overhead = 8 + 14 + 64;
    private const int DefaultFrameMax = 131_072;

    // what a replay needs comes last
    private static readonly string[] OursToCut =
    [
        RetryHeaderNames.History, MassTransitHeaderNames.StackTrace, MassTransitHeaderNames.ExceptionMessage,
        RetryHeaderNames.ErrorTypes, RetryHeaderNames.Error, RetryHeaderNames.Kept,
    ];

    // by name, not by prefix: a stranger's header may start with ours, and be of any size
    private static readonly FrozenSet<string> OursToKeep = FrozenSet.Create(
        StringComparer.Ordinal,
        RetryHeaderNames.State,
        RetryHeaderNames.Id,
        RetryHeaderNames.Origin,
        RetryHeaderNames.Attempt,
        RetryHeaderNames.FirstFailedAt,
        RetryHeaderNames.DueAt,
        RetryHeaderNames.Deadline,
        RetryHeaderNames.Reason,
        RetryHeaderNames.Crashes,
        RetryHeaderNames.Probes,
        RetryHeaderNames.Replayed,
        RetryHeaderNames.Plan,
        RetryHeaderNames.Schedule,
        RetryHeaderNames.Tenant,
        RetryHeaderNames.Changed,
        RetryHeaderNames.Repeated);

    /// <summary>Cuts headers, ours first and then the largest, until the frame fits.</summary>
    /// <param name="properties">The properties whose headers are cut.</param>
    /// <param name="frameMax">The largest frame that the broker takes; 0 where it names none.</param>
    /// <param name="reserved">Bytes for what the client or a filter adds later.</param>
    /// <returns>The names of the sender's headers that were cut, for the log. What is cut of ours is logged elsewhere.</returns>
    public static IReadOnlyList<string> Fit(BasicProperties properties, uint frameMax, int reserved = 0)
    {
        var limit = (frameMax == 0 ? DefaultFrameMax : (int)Math.Min(frameMax, int.MaxValue)) - Overhead - reserved - PropertiesSize(properties);
        var headers = properties.Headers;
        if (headers is null || TableSize(headers) is var size && size <= limit)
        {
            return [];
        }

        foreach (var name in OursToCut)
        {
            if (size > limit && headers.TryGetValue(name, out var value))
            {
                size -= EntrySize(name, value);
                headers.Remove(name);
            }
        }

        var cut = new List<string>();
        foreach (var (name, value) in headers.Where(h => !OursToKeep.Contains(h.Key)).OrderByDescending(h => EntrySize(h.Key, h.Value)).ToList())
        {
            if (size <= limit)
            {
                break;
            }

            size -= EntrySize(name, value);
            headers.Remove(name);
            cut.Add(name);
        }

        return cut;
    }

    private static int PropertiesSize(BasicProperties properties) =>
        Size(properties.ContentType) + Size(properties.ContentEncoding) + Size(properties.CorrelationId) + Size(properties.ReplyTo)
        + Size(properties.MessageId) + Size(properties.Type) + Size(properties.AppId) + Size(properties.ClusterId);

    private static int Size(string? text) => text is null ? 0 : 1 + Encoding.UTF8.GetByteCount(text);

    private static int TableSize(IDictionary<string, object?> table)
    {
        var size = 4;
        if (table is Dictionary<string, object?> plain)
        {
            // ours are, and its enumerator is no object
            foreach (var (name, value) in plain)
            {
                size += EntrySize(name, value);
            }

            return size;
        }

        foreach (var (name, value) in table)
        {
            size += EntrySize(name, value);
        }

        return size;
    }

    private static int EntrySize(string name, object? value) => 1 + Encoding.UTF8.GetByteCount(name) + 1 + ValueSize(value);

    private static int ValueSize(object? value) => value switch
    {
        null => 0,
        string text => 4 + Encoding.UTF8.GetByteCount(text),
        byte[] bytes => 4 + bytes.Length,
        BinaryTableValue binary => 4 + (binary.Bytes?.Length ?? 0),
        IDictionary<string, object?> table => TableSize(table),
        IList list => 4 + list.Cast<object?>().Sum(item => 1 + ValueSize(item)),
        _ => 16, // numbers, times and booleans take 1 to 8 bytes
    };
}
