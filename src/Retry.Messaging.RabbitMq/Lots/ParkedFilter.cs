using System.Collections.Immutable;
using Retry.Messaging.Outcomes;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Which parked messages: all conditions that are set must hold.</summary>
/// <remarks>Start from <see cref="All"/> or <see cref="OfIds"/> and narrow: <c>ParkedFilter.All with { Reason = ParkReason.Failed }</c>.</remarks>
public sealed record ParkedFilter
{
    private ParkedFilter()
    {
    }

    /// <summary>Gets the filter that selects every message.</summary>
    public static ParkedFilter All { get; } = new();

    /// <summary>Gets the ids; <see langword="null"/> for any.</summary>
    public ImmutableHashSet<string>? Ids { get; init; }

    /// <summary>Gets the reason; <see langword="null"/> for any.</summary>
    public ParkReason? Reason { get; init; }

    /// <summary>Gets a part of a name in <see cref="ParkedMessage.ExceptionTypes"/>, in any case: of the error that is shown, or of an
    /// exception inside it; <see langword="null"/> for any.</summary>
    public string? ExceptionType { get; init; }

    /// <summary>Gets a part of the message type's name, in any case; <see langword="null"/> for any.</summary>
    public string? MessageType { get; init; }

    /// <summary>Gets text that the last error contains, in any case; <see langword="null"/> for any.</summary>
    public string? Text { get; init; }

    /// <summary>Gets the tenant, as <see cref="ParkedMessage.Tenant"/> has it; <see langword="null"/> for any.</summary>
    public string? Tenant { get; init; }

    /// <summary>Gets how many attempts were recorded at least; <see langword="null"/> for any number.</summary>
    public int? AttemptsFrom { get; init; }

    /// <summary>Gets how many attempts were recorded at most; <see langword="null"/> for any number.</summary>
    public int? AttemptsTo { get; init; }

    /// <summary>Gets headers that must be there with exactly these values, numbers as digits; empty for any.</summary>
    public ImmutableDictionary<string, string> Headers { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Gets the earliest time of parking; <see langword="null"/> for any.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Gets the time before which the message was parked; <see langword="null"/> for any.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Gets the work queue, for messages of several; <see langword="null"/> for any.</summary>
    public string? WorkQueue { get; init; }

    /// <summary>Gets how many messages are selected at most; <see langword="null"/> for no limit.</summary>
    public int? Limit { get; init; }

    /// <summary>Gets one more condition; <see langword="null"/> for none.</summary>
    internal Func<ParkedMessage, bool>? Also { get; init; }

    /// <summary>Gets the messages that a preview showed and the operator agreed to; <see langword="null"/> where there was no preview.</summary>
    internal LotSet? Shown { get; init; }

    /// <summary>Selects messages by id.</summary>
    /// <param name="ids">The ids; none of them selects nothing.</param>
    public static ParkedFilter OfIds(params IEnumerable<string> ids) => All with { Ids = [.. ids] };

    /// <summary>Tells whether a message fulfils all conditions but <see cref="Limit"/>.</summary>
    /// <param name="message">The message.</param>
    public bool Matches(ParkedMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return (Ids is null || Ids.Contains(message.Id))
            && (WorkQueue is null || WorkQueue == message.WorkQueue)
            && (Reason is null || Reason == message.Reason)
            && (ExceptionType is null || message.ExceptionTypes.Any(type => Contains(type, ExceptionType)))
            && Contains(message.MessageType, MessageType)
            && Contains(message.Error, Text)
            && (Tenant is null || Tenant == message.Tenant)
            && (AttemptsFrom is null || message.Attempts >= AttemptsFrom)
            && (AttemptsTo is null || message.Attempts <= AttemptsTo)
            && (Since is null || message.ParkedAt >= Since)
            && (Until is null || message.ParkedAt < Until)
            && HasHeaders(message)
            && Also?.Invoke(message) != false;
    }

    private static bool Contains(string? text, string? part) =>
        part is null || (text?.Contains(part, StringComparison.OrdinalIgnoreCase) ?? false);

    private bool HasHeaders(ParkedMessage message)
    {
        foreach (var (name, wanted) in Headers)
        {
            if (message.RawHeaders is not { } headers || !headers.TryGetValue(name, out var value) || ReadableHeaders.AsText(value) != wanted)
            {
                return false;
            }
        }

        return true;
    }
}
