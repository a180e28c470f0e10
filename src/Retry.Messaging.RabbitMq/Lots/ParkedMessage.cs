using System.Diagnostics;
using RabbitMQ.Client;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>A message that will not be tried again by itself, with its cause.</summary>
public sealed class ParkedMessage
{
    private IReadOnlyDictionary<string, object?>? _headers;

    internal ParkedMessage()
    {
    }

    /// <summary>Gets the id: that of the chain, or one derived from the message where the broker itself parked it.</summary>
    /// <remarks>Two copies of one message have the same id.</remarks>
    public required string Id { get; init; }

    /// <summary>Gets the work queue in whose parking lot it is.</summary>
    public required string WorkQueue { get; init; }

    /// <summary>Gets why it was parked.</summary>
    public required ParkReason Reason { get; init; }

    /// <summary>Gets the broker's own word for why it dead-lettered the message; <see langword="null"/> where the library parked it.</summary>
    public string? BrokerReason { get; init; }

    /// <summary>Gets the number of attempts whose outcome was recorded; 0 where only the broker knows.</summary>
    public int Attempts { get; init; }

    /// <summary>Gets when the first attempt failed.</summary>
    public DateTimeOffset? FirstFailedAt { get; init; }

    /// <summary>Gets when it was parked.</summary>
    public DateTimeOffset? ParkedAt { get; init; }

    /// <summary>Gets type and message of the last error.</summary>
    public string? Error { get; init; }

    /// <summary>Gets the type of the last exception; where it has others inside, of the innermost.</summary>
    public string? ExceptionType { get; init; }

    /// <summary>Gets the types of the last exception and of every one inside it, as far as the message tells them; the type that
    /// <see cref="Error"/> begins with is the first.</summary>
    public IReadOnlyList<string> ExceptionTypes { get; init; } = [];

    /// <summary>Gets the message's type as far as the message tells it, for example <c>Shop.ChargeCard</c>.</summary>
    public string? MessageType { get; init; }

    /// <summary>Gets whose message it is; <see langword="null"/> where its point names no tenant.</summary>
    public string? Tenant { get; init; }

    /// <summary>Gets the last attempts, oldest first.</summary>
    public IReadOnlyList<RetryAttempt> History => State.History.Attempts;

    /// <summary>Gets how often it was replayed before.</summary>
    public int Replayed => State.Replayed;

    /// <summary>Gets the plan that replayed it last.</summary>
    public string? Plan => State.Plan;

    /// <summary>Gets the message id that the publisher gave it.</summary>
    public string? MessageId { get; init; }

    /// <summary>Gets the content type.</summary>
    public string? ContentType { get; init; }

    /// <summary>Gets the size of the body in bytes.</summary>
    public int Size { get; init; }

    /// <summary>Gets the body, where it was asked for.</summary>
    public ReadOnlyMemory<byte>? Body { get; internal set; }

    /// <summary>Gets all headers, readable: text, numbers, times, lists and tables of them; bytes that are no text as <c>base64:…</c>.</summary>
    public IReadOnlyDictionary<string, object?> Headers => _headers ??= ReadableHeaders.From(RawHeaders);

    /// <summary>The queue at the end of the ladder that a lost message was on its way to.</summary>
    internal string? Destination { get; set; }

    /// <summary>Its place in the set that is being moved.</summary>
    internal int? Place { get; set; }

    /// <summary>How many runs of the plan that were cut off may have sent a copy of it.</summary>
    internal int EarlierRuns { get; set; }

    /// <summary>Its properties as they lie in the lot, where the body was asked for.</summary>
    internal IReadOnlyBasicProperties? Properties { get; set; }

    internal RetryState State { get; init; } = RetryState.Fresh;

    internal IDictionary<string, object?>? RawHeaders { get; init; }

    /// <summary>The span of its replay.</summary>
    internal Activity? StartReplay(string plan) => RetryTracing.StartReplay(WorkQueue, RawHeaders, Id, Reason.Name, Replayed + 1, plan);
}
