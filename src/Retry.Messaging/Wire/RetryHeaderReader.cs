using System.Collections;
using System.Globalization;
using System.Text;
using Retry.Messaging.Outcomes;

namespace Retry.Messaging.Wire;

/// <summary>Reads our headers from a message. They may hold anything.</summary>
/// <remarks>
/// Tolerant: a missing or unreadable header counts as absent. With one exception: an attempt number that is there but
/// makes no sense counts as the last one, so that nothing a stranger writes grants more attempts.
/// </remarks>
public static class RetryHeaderReader
{
    private const int MaxCopies = 64;

    /// <summary>Reads the headers, if they count on this queue.</summary>
    /// <param name="headers">The message's headers.</param>
    /// <param name="queue">The work queue (or parking lot's work queue) that reads them.</param>
    /// <returns>The state, or <see cref="RetryState.Fresh"/> when another queue wrote the headers, or there are none.</returns>
    public static RetryState Read(IDictionary<string, object?>? headers, string queue) =>
        headers is not null && Unpacked(headers) is var plain && Text(plain, RetryHeaderNames.Origin) == queue ? ReadPlain(plain) : RetryState.Fresh;

    /// <summary>Reads the headers without asking who wrote them.</summary>
    /// <param name="headers">The message's headers.</param>
    public static RetryState Read(IDictionary<string, object?> headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        return ReadPlain(Unpacked(headers));
    }

    /// <summary>The work queue that wrote the headers, if any did.</summary>
    internal static string? OriginOf(IDictionary<string, object?> headers) => Text(Unpacked(headers), RetryHeaderNames.Origin);

    /// <summary>What one parked message is told from all others by, if the headers count on this queue. Cheaper than to read the whole state.</summary>
    internal static (string? Id, int Replayed, string? Plan) ReadIdentity(IDictionary<string, object?>? headers, string queue) =>
        headers is not null && Unpacked(headers) is var plain && Text(plain, RetryHeaderNames.Origin) == queue
            ? (Id(plain), Count(plain, RetryHeaderNames.Replayed), Plan(plain))
            : default;

    /// <summary>Whether a process died of, or beside, the message since its last outcome. Cheaper than to read the whole state.</summary>
    internal static bool HasCrashed(IDictionary<string, object?> headers) => headers.TryGetValue(RetryHeaderNames.State, out var packed)
        ? packed is byte[] text && text.AsSpan().IndexOf("\ncrashes="u8) >= 0
        : headers.ContainsKey(RetryHeaderNames.Crashes);

    /// <summary>Whether the message was to come by before it is due. Cheaper than to read the whole state.</summary>
    internal static bool ComesBy(IDictionary<string, object?> headers) => headers.TryGetValue(RetryHeaderNames.State, out var packed)
        ? packed is byte[] text && text.AsSpan().IndexOf("\ncomes-by-at="u8) >= 0
        : headers.ContainsKey(RetryHeaderNames.ComesByAt);

    // one text while it climbs; headers of their own when it is parked or replayed
    private static IDictionary<string, object?> Unpacked(IDictionary<string, object?> headers) =>
        Text(headers, RetryHeaderNames.State) is { } packed ? PackedState.Read(packed) : headers;

    private static string? Id(IDictionary<string, object?> headers) =>
        Text(headers, RetryHeaderNames.Id) is { Length: > 0 } id ? HeaderText.OneLine(id, RetryState.MaxId) : null;

    private static string? Plan(IDictionary<string, object?> headers) =>
        Text(headers, RetryHeaderNames.Plan) is { Length: > 0 } plan ? HeaderText.OneLine(plan, RetryState.MaxPlan) : null;

    private static RetryState ReadPlain(IDictionary<string, object?> headers) => new()
    {
        Id = Id(headers),
        Attempt = ReadAttempt(headers),
        FirstFailedAt = Time(headers, RetryHeaderNames.FirstFailedAt),
        DueAt = Time(headers, RetryHeaderNames.DueAt),
        ComesByAt = Time(headers, RetryHeaderNames.ComesByAt),
        Deadline = Time(headers, RetryHeaderNames.Deadline),
        Error = Text(headers, RetryHeaderNames.Error) is { } error ? HeaderText.OneLine(error, RetryState.MaxError) : null,
        ErrorTypes = Text(headers, RetryHeaderNames.ErrorTypes) is { } types ? HeaderText.OneLine(types, RetryState.MaxError) : null,
        History = RetryHistory.Parse(Text(headers, RetryHeaderNames.History)),
        Reason = Text(headers, RetryHeaderNames.Reason) is { Length: > 0 } reason ? ParkReason.Parse(reason) : null,
        Crashes = Count(headers, RetryHeaderNames.Crashes),
        Probes = Count(headers, RetryHeaderNames.Probes),
        Replayed = Count(headers, RetryHeaderNames.Replayed),
        Plan = Plan(headers),
        Kept = headers.TryGetValue(RetryHeaderNames.Kept, out var kept) && kept is IDictionary<string, object?> table
            ? ReadKept(table)
            : KeptProperties.None,
    };

    /// <summary>The text of a header, which arrives as bytes.</summary>
    internal static string? Text(IDictionary<string, object?> headers, string name) =>
        headers.TryGetValue(name, out var value) ? AsText(value) : null;

    private static string? AsText(object? value) => value switch
    {
        string text => text,
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        _ => null,
    };

    private static int ReadAttempt(IDictionary<string, object?> headers)
    {
        if (!headers.TryGetValue(RetryHeaderNames.Attempt, out var value))
        {
            return 1;
        }

        return Number(value) is { } number && number is >= 1 and <= int.MaxValue ? (int)number : int.MaxValue;
    }

    /// <summary>A header that counts; 0 where there is none, or none that counts.</summary>
    internal static int Count(IDictionary<string, object?> headers, string name) =>
        headers.TryGetValue(name, out var value) && Number(value) is { } number
            ? (int)Math.Clamp(number, 0, int.MaxValue)
            : 0;

    private static DateTimeOffset? Time(IDictionary<string, object?> headers, string name) =>
        headers.TryGetValue(name, out var value) ? Time(value) : null;

    private static DateTimeOffset? Time(object? value) =>
        Number(value) is { } ms && ms >= 0 && ms <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(ms)
            : null;

    private static long? Number(object? value) => value switch
    {
        int number => number,
        long number => number,
        short number => number,
        byte number => number,
        sbyte number => number,
        ushort number => number,
        uint number => number,
        _ => null,
    };

    private static KeptProperties ReadKept(IDictionary<string, object?> table) => new()
    {
        Exchange = Text(table, KeptNames.Exchange),
        RoutingKey = Text(table, KeptNames.RoutingKey),
        Priority = table.TryGetValue(KeptNames.Priority, out var priority) && Number(priority) is >= 0 and <= 255 and var p ? (byte)p : null,
        Expiration = Text(table, KeptNames.Expiration) is { } text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? text : null,
        ExpiresAt = table.TryGetValue(KeptNames.ExpiresAt, out var at) ? Time(at) : null,
        UserId = Text(table, KeptNames.UserId),
        Cc = Texts(table, KeptNames.Cc),
        Bcc = Texts(table, KeptNames.Bcc),
    };

    private static string[]? Texts(IDictionary<string, object?> table, string name) =>
        table.TryGetValue(name, out var value) && value is IList list
            ? [.. list.Cast<object?>().Take(MaxCopies).Select(AsText).OfType<string>()]
            : null;
}
