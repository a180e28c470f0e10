using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Retry.Messaging.Wire;

/// <summary>Writes and reads <see cref="RetryHeaderNames.Schedule"/>: one text, since each header of its own costs the broker at every hop.</summary>
internal static class ScheduleHeader
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the text.</summary>
    public static string Write(ScheduleState state) => JsonSerializer.Serialize(
        new ScheduleDocument
        {
            Due = state.DueAt.ToUnixTimeMilliseconds(),
            Leaves = state.LeavesAt?.ToUnixTimeMilliseconds(),
            Exchange = state.Kept.Exchange,
            Key = state.Kept.RoutingKey,
            Priority = state.Kept.Priority,
            Expiration = state.Kept.Expiration,
            User = state.Kept.UserId,
            Cc = state.Kept.Cc,
            Bcc = state.Kept.Bcc,
            Repeated = state.Repeated,
            Token = state.Token,
            Asked = state.AskedAt is { } asked ? UnixMicroseconds.Of(asked) : null,
        },
        Json);

    /// <summary>Reads it from a message's headers, which may hold anything; <see langword="null"/> where there is none that makes sense.</summary>
    public static ScheduleState? Read(IDictionary<string, object?>? headers)
    {
        if (headers is null || RetryHeaderReader.Text(headers, RetryHeaderNames.Schedule) is not { } text)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<ScheduleDocument>(text, Json) is { Due: > 0, Exchange: not null } document
                && IsTime(document.Due)
                && IsTime(document.Leaves ?? 0)
                ? Of(document)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ScheduleState Of(ScheduleDocument document) => new()
    {
        DueAt = DateTimeOffset.FromUnixTimeMilliseconds(document.Due),
        LeavesAt = document.Leaves is { } leaves ? DateTimeOffset.FromUnixTimeMilliseconds(leaves) : null,
        Repeated = Math.Max(document.Repeated, 0),
        Token = document.Token,
        AskedAt = document.Asked is { } asked ? UnixMicroseconds.Read(asked) : null,
        Kept = new KeptProperties
        {
            Exchange = document.Exchange,
            RoutingKey = document.Key ?? string.Empty,
            Priority = document.Priority,
            Expiration = long.TryParse(document.Expiration, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? document.Expiration : null,
            UserId = document.User,
            Cc = document.Cc,
            Bcc = document.Bcc,
        },
    };

    private static bool IsTime(long milliseconds) => milliseconds >= 0 && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
}
