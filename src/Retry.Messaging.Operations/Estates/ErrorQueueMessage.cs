using System.Globalization;
using RabbitMQ.Client;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Estates;

/// <summary>Reads a delivery from an error queue: what MassTransit says of the fault, else what the broker says of the death.</summary>
/// <remarks>Its headers may have been written by anybody, and may hold anything. Those of this library do not count: they are another point's.</remarks>
internal static class ErrorQueueMessage
{
    private const int MaxId = 128;
    private const int MaxText = 300;

    // MassTransit's words in MT-Reason
    private const string Fault = "fault";
    private const string Skipped = "dead-letter";

    /// <summary>Reads a delivery.</summary>
    /// <param name="errorQueue">The queue that it lies in.</param>
    /// <param name="properties">Its properties.</param>
    /// <param name="body">Its body.</param>
    public static ParkedMessage Read(string errorQueue, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var headers = properties.Headers ?? new Dictionary<string, object?>();
        var death = BrokerDeath.Latest(headers, exceptIn: errorQueue);
        var faultReason = FaultReason(headers);
        var exceptionType = Line(headers, MassTransitHeaderNames.ExceptionType);
        return new ParkedMessage
        {
            Id = ChainId.Short(errorQueue, properties, body.Span, death?.At),
            WorkQueue = FailedQueue.Of(errorQueue, headers, death) ?? string.Empty,
            Reason = faultReason ?? death?.ParkReason ?? default,
            BrokerReason = faultReason is null && death is not null ? HeaderText.OneLine(death.Reason, MaxText) : null,
            Attempts = AttemptsOf(headers),
            ParkedAt = FaultTime(headers) ?? death?.At,
            Error = ErrorOf(exceptionType, Line(headers, MassTransitHeaderNames.ExceptionMessage)),
            ExceptionType = exceptionType,
            ExceptionTypes = exceptionType is null ? [] : [exceptionType],
            MessageType = MessageTypeName.Of(headers, properties.Type, body.Span),
            MessageId = properties.MessageId is { } messageId ? HeaderText.OneLine(messageId, MaxId) : null,
            ContentType = properties.ContentType is { } contentType ? HeaderText.OneLine(contentType, MaxId) : null,
            Size = body.Length,
            RawHeaders = headers,
        };
    }

    private static ParkReason? FaultReason(IDictionary<string, object?> headers) => RetryHeaderReader.Text(headers, MassTransitHeaderNames.Reason) switch
    {
        Fault => ParkReason.Failed,
        Skipped => ParkReason.Unhandled,
        { Length: > 0 } other => ParkReason.Parse(other),
        _ => headers.ContainsKey(MassTransitHeaderNames.ExceptionType) ? ParkReason.Failed : null,
    };

    // a redelivery starts its immediate retries anew, and only the last ones are told: at least so many
    private static int AttemptsOf(IDictionary<string, object?> headers) =>
        headers.ContainsKey(MassTransitHeaderNames.ExceptionType)
            ? (int)Math.Min(
                int.MaxValue,
                1L + RetryHeaderReader.Count(headers, MassTransitHeaderNames.RetryCount) + RetryHeaderReader.Count(headers, MassTransitHeaderNames.RedeliveryCount))
            : 0;

    private static string? ErrorOf(string? type, string? message) =>
        type is null || message is null ? type ?? message : HeaderText.OneLine($"{type}{RetryHistory.ErrorSeparator}{message}", MaxText);

    private static DateTimeOffset? FaultTime(IDictionary<string, object?> headers) =>
        DateTimeOffset.TryParse(
            RetryHeaderReader.Text(headers, MassTransitHeaderNames.Timestamp),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time)
            ? time
            : null;

    private static string? Line(IDictionary<string, object?> headers, string name) =>
        RetryHeaderReader.Text(headers, name) is { Length: > 0 } text ? HeaderText.OneLine(text, MaxText) : null;
}
