using System.Globalization;
using RabbitMQ.Client;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Reads a delivery from a parking lot. Its headers may have been written by anybody, and may hold anything.</summary>
internal static class ParkedMessageReader
{
    private const int MaxId = 128;
    private const int MaxText = 300;

    /// <summary>Reads a delivery.</summary>
    /// <param name="properties">Its properties.</param>
    /// <param name="body">Its body.</param>
    /// <param name="names">The point it belongs to.</param>
    /// <param name="reason">The reason, where the place it lies in tells it.</param>
    public static ParkedMessage Read(IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, RetryPointNames names, ParkReason? reason = null)
    {
        var headers = properties.Headers;
        var state = RetryHeaderReader.Read(headers, names.Work);
        var death = state.Reason is null ? BrokerDeath.Find(headers, names) : null;
        var last = state.History.Latest;
        var exceptionType = Line(headers, MassTransitHeaderNames.ExceptionType) ?? last?.ErrorType;
        return new ParkedMessage
        {
            // without one of ours: one that is the same at every reading of the same message
            Id = state.Id ?? ChainId.Of(names.Work, death?.Exchange ?? string.Empty, death?.RoutingKey ?? string.Empty, properties, body.Span, death?.At),
            WorkQueue = names.Work,
            Reason = reason ?? state.Reason ?? death?.ParkReason ?? default,
            BrokerReason = death is null ? null : HeaderText.OneLine(death.Reason, MaxText),
            Attempts = state.RecordedAttempts,
            FirstFailedAt = state.FirstFailedAt,
            ParkedAt = death?.At ?? FaultTime(headers) ?? last?.FailedAt,
            Error = state.Error ?? Line(headers, MassTransitHeaderNames.ExceptionMessage),
            ExceptionType = exceptionType,
            ExceptionTypes = TypesOf(state, exceptionType),
            MessageType = MessageTypeName.Of(headers, properties.Type, body.Span),
            Tenant = Line(headers, RetryHeaderNames.Tenant),
            MessageId = properties.MessageId is { } messageId ? HeaderText.OneLine(messageId, MaxId) : null,
            ContentType = properties.ContentType is { } contentType ? HeaderText.OneLine(contentType, MaxId) : null,
            Size = body.Length,
            State = WithOrigin(state, properties, names, death),
            RawHeaders = headers,
        };
    }

    /// <summary>What a message is known by in a set; <see langword="null"/> where it has no id of ours, and the whole message has to be read.</summary>
    public static ulong? KeyOf(IReadOnlyBasicProperties properties, RetryPointNames names) =>
        RetryHeaderReader.ReadIdentity(properties.Headers, names.Work) is { Id: { } id } who ? LotKey.Of(names.Work, id, who.Replayed, who.Plan) : null;

    private static string[] TypesOf(RetryState state, string? innermost)
    {
        var end = state.Error?.IndexOf(RetryHistory.ErrorSeparator, StringComparison.Ordinal) ?? -1;
        IEnumerable<string?> types = [end > 0 ? state.Error![..end] : null, .. state.ErrorTypes?.Split(HeaderText.TypeSeparator) ?? [], innermost];
        return [.. types.OfType<string>().Distinct()];
    }

    // What a consumer sees after a replay is where the message came from the first time.
    private static RetryState WithOrigin(RetryState state, IReadOnlyBasicProperties properties, RetryPointNames names, BrokerDeath? death) =>
        state.Kept.Exchange is not null
            ? state
            : state with
            {
                Kept = state.Kept with
                {
                    Exchange = death?.Exchange ?? string.Empty,
                    RoutingKey = death?.RoutingKey ?? names.Work,
                    Priority = state.Kept.Priority ?? (properties.IsPriorityPresent() ? properties.Priority : null),
                },
            };

    private static DateTimeOffset? FaultTime(IDictionary<string, object?>? headers) =>
        headers is not null
        && DateTimeOffset.TryParse(
            RetryHeaderReader.Text(headers, MassTransitHeaderNames.Timestamp),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time)
            ? time
            : null;

    private static string? Line(IDictionary<string, object?>? headers, string name) =>
        headers is not null && RetryHeaderReader.Text(headers, name) is { Length: > 0 } text ? HeaderText.OneLine(text, MaxText) : null;
}
