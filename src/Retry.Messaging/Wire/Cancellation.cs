using System.Globalization;

namespace Retry.Messaging.Wire;

/// <summary>Somebody has cancelled a scheduled message.</summary>
/// <param name="Token">The token of its schedule.</param>
/// <param name="At">When, by the clock of who cancelled it.</param>
internal readonly record struct Cancellation(Guid Token, DateTimeOffset At)
{
    /// <summary>Writes the value of <see cref="RetryHeaderNames.Cancelled"/>.</summary>
    public string Write() => string.Create(CultureInfo.InvariantCulture, $"{Token:N} {UnixMicroseconds.Of(At)}");

    /// <summary>Reads it from headers, which may hold anything.</summary>
    public static Cancellation? Read(IDictionary<string, object?>? headers) =>
        headers is not null
        && RetryHeaderReader.Text(headers, RetryHeaderNames.Cancelled) is { } text
        && text.Split(' ') is [var token, var at]
        && Guid.TryParseExact(token, "N", out var parsed)
        && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds)
            ? new Cancellation(parsed, UnixMicroseconds.Read(microseconds))
            : null;
}
