using System.Text.Json;
using System.Text.Json.Serialization;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Listing;

/// <summary>The index of what is scheduled: a bounded stream of notices. Messages on the ladder cannot be looked at.</summary>
/// <remarks>
/// A notice is written when a message is scheduled, and none when it is dispatched: it is past when its time is. It is for people, so it may be
/// missing where a process died; nothing else depends on it.
/// </remarks>
internal static class ScheduleIndex
{
    /// <summary>How many notices one record has at most.</summary>
    public const int MostInRecord = 500;

    /// <summary>What the stream keeps: some five million notices. What is older and still waits is not listed.</summary>
    public static readonly StreamRetention Retention = new(MaxBytes: 1L << 30, SegmentBytes: 50 << 20);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>The stream.</summary>
    public static RecordStream Open(IConnection connection, TimeProvider time) => new(connection, BrokerNames.ScheduledStream, Retention, time);

    /// <summary>Writes notices as one record.</summary>
    public static ReadOnlyMemory<byte> Write(IReadOnlyList<ScheduleNotice> notices) => JsonSerializer.SerializeToUtf8Bytes(notices, Json);

    /// <summary>Reads a record; one that makes no sense has no notices.</summary>
    public static IReadOnlyList<ScheduleNotice> Read(ReadOnlyMemory<byte> record)
    {
        try
        {
            return JsonSerializer.Deserialize<List<ScheduleNotice>>(record.Span, Json) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
