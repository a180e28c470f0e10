using System.Buffers.Binary;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Cancelling;

/// <summary>The records of the stream: one cancellation, many that are written again, or a marker by which a reader sees how far it has come.</summary>
internal static class CancellationRecords
{
    /// <summary>How many cancellations one record repeats at most.</summary>
    public const int RepeatsInOne = 2000;

    /// <summary>What a record takes in the stream beside its body, at the most: chunk, properties, headers.</summary>
    public const int Envelope = 400;

    /// <summary>What one takes of a record that repeats many.</summary>
    public const int RepeatBytes = 24;

    private const string MarkerType = "retry.schedule.marker";
    private const string RepeatType = "retry.schedule.cancelled";

    /// <summary>A marker.</summary>
    /// <param name="id">By what its writer knows it again.</param>
    /// <param name="by">The dispatcher that wrote it; <see langword="null"/> where somebody only looks.</param>
    public static BasicProperties Marker(string id, string? by) => new() { Type = MarkerType, MessageId = id, AppId = by };

    /// <summary>The dispatcher that wrote a marker.</summary>
    public static string? WriterOf(IReadOnlyBasicProperties properties) => properties.AppId;

    /// <summary>The id of a marker; <see langword="null"/> where the record is none.</summary>
    public static string? MarkerOf(IReadOnlyBasicProperties properties) => properties.Type == MarkerType ? properties.MessageId : null;

    /// <summary>One cancellation.</summary>
    public static BasicProperties One(Cancellation cancellation) =>
        new() { Persistent = true, Headers = new Dictionary<string, object?> { [RetryHeaderNames.Cancelled] = cancellation.Write() } };

    /// <summary>Many that are written again.</summary>
    public static (BasicProperties Properties, byte[] Body) Repeat(IReadOnlyCollection<Cancellation> cancellations)
    {
        var body = new byte[cancellations.Count * RepeatBytes];
        var rest = body.AsSpan();
        foreach (var (token, at) in cancellations)
        {
            token.TryWriteBytes(rest, bigEndian: true, out _);
            BinaryPrimitives.WriteInt64BigEndian(rest[16..], UnixMicroseconds.Of(at));
            rest = rest[RepeatBytes..];
        }

        return (new BasicProperties { Type = RepeatType, Persistent = true }, body);
    }

    /// <summary>All cancellations that a record tells of, said for the first time or repeated.</summary>
    public static IReadOnlyList<Cancellation> In(StreamRecord record) =>
        Cancellation.Read(record.Properties.Headers) is { } one ? [one] : RepeatedBy(record.Properties, record.Body);

    /// <summary>The cancellations that a record repeats; none where it repeats nothing.</summary>
    public static IReadOnlyList<Cancellation> RepeatedBy(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        if (properties.Type != RepeatType)
        {
            return [];
        }

        var cancellations = new List<Cancellation>(body.Length / RepeatBytes);
        for (var rest = body.Span; rest.Length >= RepeatBytes; rest = rest[RepeatBytes..])
        {
            cancellations.Add(new(new Guid(rest[..16], bigEndian: true), UnixMicroseconds.Read(BinaryPrimitives.ReadInt64BigEndian(rest[16..]))));
        }

        return cancellations;
    }
}
