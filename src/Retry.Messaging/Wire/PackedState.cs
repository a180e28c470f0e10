using System.Collections.Frozen;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Retry.Messaging.Wire;

/// <summary>The state of a message that climbs, as one text.</summary>
/// <remarks>
/// Eleven headers of ours took a fifth of the broker's time for a retry, one text takes next to nothing (DECISIONS 71).
/// </remarks>
internal static class PackedState
{
    private const char Equal = '=';
    private const char EndOfLine = '\n';
    private const int UsualLength = 1024;

    // the header's own name and length, and the name of the history
    private const int Overhead = 64;

    private static readonly FrozenSet<string> Numbers = FrozenSet.Create(
        StringComparer.Ordinal,
        RetryHeaderNames.Attempt,
        RetryHeaderNames.FirstFailedAt,
        RetryHeaderNames.DueAt,
        RetryHeaderNames.ComesByAt,
        RetryHeaderNames.Deadline,
        RetryHeaderNames.Crashes,
        RetryHeaderNames.Probes,
        RetryHeaderNames.Replayed);

    /// <summary>The state in one text; <see langword="null"/> where a name has a line break, or more was taken off the message than is usual.</summary>
    /// <param name="state">The state.</param>
    /// <param name="origin">The work queue that writes.</param>
    public static string? Write(RetryState state, string origin)
    {
        var kept = state.Kept;
        if (!IsLine(origin) || !IsLine(kept.Exchange) || !IsLine(kept.RoutingKey)
            || kept is not { Priority: null, Expiration: null, ExpiresAt: null, UserId: null, Cc: null, Bcc: null })
        {
            return null;
        }

        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[UsualLength]);
        Add(ref text, Short(RetryHeaderNames.Origin), origin);
        Add(ref text, Short(RetryHeaderNames.Attempt), state.Attempt);
        Add(ref text, Short(RetryHeaderNames.Id), state.Id, RetryState.MaxId);
        Add(ref text, Short(RetryHeaderNames.FirstFailedAt), state.FirstFailedAt);
        Add(ref text, Short(RetryHeaderNames.DueAt), state.DueAt);
        Add(ref text, Short(RetryHeaderNames.ComesByAt), state.ComesByAt);
        Add(ref text, Short(RetryHeaderNames.Deadline), state.Deadline);
        Add(ref text, Short(RetryHeaderNames.Crashes), state.Crashes);
        Add(ref text, Short(RetryHeaderNames.Probes), state.Probes);
        Add(ref text, Short(RetryHeaderNames.Replayed), state.Replayed);
        Add(ref text, Short(RetryHeaderNames.Plan), state.Plan, RetryState.MaxPlan);
        Add(ref text, Short(RetryHeaderNames.Reason), state.Reason?.ToString());
        Add(ref text, KeptNames.Exchange, kept.Exchange);
        Add(ref text, KeptNames.RoutingKey, kept.RoutingKey);

        // nothing after the sign: the history's last line tells it
        Add(ref text, Short(RetryHeaderNames.Error), state.Error is { } error && state.History.Tells(error) ? string.Empty : state.Error, RetryState.MaxError);
        var head = text.ToStringAndClear();
        var history = state.History.Within(RetryHeaderWriter.MaxBytes - Encoding.UTF8.GetByteCount(head) - Overhead);
        return history.Length == 0 ? head : string.Concat(head, Short(RetryHeaderNames.History), "=", history);
    }

    /// <summary>Reads a text as the headers that it stands for. It may hold anything.</summary>
    public static Dictionary<string, object?> Read(string text)
    {
        var headers = new Dictionary<string, object?>(StringComparer.Ordinal);
        var kept = new Dictionary<string, object?>(StringComparer.Ordinal);
        for (var rest = text.AsSpan(); rest.Length > 0;)
        {
            var end = rest.IndexOf(EndOfLine);
            var line = end < 0 ? rest : rest[..end];
            if (line.IndexOf(Equal) is var sign and > 0)
            {
                var name = line[..sign];
                if (name.SequenceEqual(Short(RetryHeaderNames.History)))
                {
                    headers[RetryHeaderNames.History] = rest[(sign + 1)..].ToString();
                    break;
                }

                var isKept = name is KeptNames.Exchange or KeptNames.RoutingKey;
                var key = isKept ? name.ToString() : string.Concat(RetryHeaderNames.Prefix, name);
                var value = line[(sign + 1)..];
                (isKept ? kept : headers)[key] = Numbers.Contains(key)
                    && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : value.ToString();
            }

            rest = end < 0 ? [] : rest[(end + 1)..];
        }

        if (kept.Count > 0)
        {
            headers[RetryHeaderNames.Kept] = kept;
        }

        if (headers.TryGetValue(RetryHeaderNames.Error, out var error) && error is string { Length: 0 })
        {
            headers[RetryHeaderNames.Error] = RetryHistory.Parse(RetryHeaderReader.Text(headers, RetryHeaderNames.History)).LatestError;
        }

        return headers;
    }

    private static ReadOnlySpan<char> Short(string name) => name.AsSpan(RetryHeaderNames.Prefix.Length);

    private static bool IsLine(string? text) => text is null || !text.Contains(EndOfLine, StringComparison.Ordinal);

    private static void Add(ref DefaultInterpolatedStringHandler text, ReadOnlySpan<char> name, string? value, int maxChars = int.MaxValue)
    {
        if (value is not null)
        {
            text.AppendFormatted(name);
            text.AppendLiteral("=");
            text.AppendLiteral(maxChars == int.MaxValue ? value : HeaderText.OneLine(value, maxChars));
            text.AppendLiteral("\n");
        }
    }

    private static void Add(ref DefaultInterpolatedStringHandler text, ReadOnlySpan<char> name, DateTimeOffset? value)
    {
        if (value is { } time)
        {
            Add(ref text, name, time.ToUnixTimeMilliseconds());
        }
    }

    private static void Add(ref DefaultInterpolatedStringHandler text, ReadOnlySpan<char> name, long value)
    {
        if (value != 0)
        {
            text.AppendFormatted(name);
            text.AppendLiteral("=");
            text.AppendFormatted(value);
            text.AppendLiteral("\n");
        }
    }
}
