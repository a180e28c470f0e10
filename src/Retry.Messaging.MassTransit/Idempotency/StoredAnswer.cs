using System.Text.Json;
using System.Text.Json.Serialization;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>A message that a consumer sent, published or responded with, as it is kept.</summary>
internal sealed record StoredAnswer
{
    private static readonly JsonSerializerOptions Json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    public required Guid MessageId { get; init; }

    /// <summary>Whether it goes to who asked; each duplicate has a requester of its own.</summary>
    public bool IsResponse { get; init; }

    public Guid? RequestId { get; init; }

    public Guid? CorrelationId { get; init; }

    public Guid? ConversationId { get; init; }

    public Guid? InitiatorId { get; init; }

    public Uri? SourceAddress { get; init; }

    public required Uri DestinationAddress { get; init; }

    public Uri? ResponseAddress { get; init; }

    public Uri? FaultAddress { get; init; }

    /// <summary>How long it lives, from each time that it is sent.</summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>When it shall arrive, where it was to be delayed.</summary>
    public DateTimeOffset? DueAt { get; init; }

    public required DateTime SentTime { get; init; }

    public required string ContentType { get; init; }

    public required string MessageType { get; init; }

    public required string Body { get; init; }

    public string? Headers { get; init; }

    public string? Properties { get; init; }

    /// <summary>Writes the answers of a consumer.</summary>
    public static byte[] Write(IReadOnlyCollection<StoredAnswer> answers) => answers.Count == 0 ? [] : JsonSerializer.SerializeToUtf8Bytes(answers, Json);

    /// <summary>Reads them.</summary>
    public static IReadOnlyCollection<StoredAnswer> Read(ReadOnlyMemory<byte> content) =>
        content.IsEmpty ? [] : JsonSerializer.Deserialize<List<StoredAnswer>>(content.Span, Json)!;
}
