using System.Text;

namespace Retry.Messaging.Wire;

/// <summary>Writes our headers into a message; each is bounded, and together they stay under 4 KB.</summary>
internal static class RetryHeaderWriter
{
    /// <summary>How much our headers take at most on the wire, in bytes, names included.</summary>
    public const int MaxBytes = 4 * 1024;

    // what the wire adds to an entry: the length of its name, the type, the length of a text
    private const int EntryOverhead = 1 + 1 + 4;
    private const int NumberBytes = 8;
    private const int MaxShortText = 255;
    private const int MaxExpiration = 20;
    private const int MaxCopiesBytes = 256;

    private static readonly string[] Plain =
    [
        RetryHeaderNames.Origin, RetryHeaderNames.Attempt, RetryHeaderNames.Id, RetryHeaderNames.FirstFailedAt,
        RetryHeaderNames.DueAt, RetryHeaderNames.ComesByAt, RetryHeaderNames.Deadline, RetryHeaderNames.Error, RetryHeaderNames.ErrorTypes,
        RetryHeaderNames.Reason, RetryHeaderNames.Crashes, RetryHeaderNames.Probes, RetryHeaderNames.Replayed, RetryHeaderNames.Plan,
        RetryHeaderNames.Kept, RetryHeaderNames.History,
    ];

    /// <summary>Writes the state into one header, <see cref="RetryHeaderNames.State"/>, for a message that climbs; where that cannot be,
    /// into headers of their own.</summary>
    /// <param name="headers">The message's headers, which are changed.</param>
    /// <param name="state">The state.</param>
    /// <param name="origin">The work queue that writes.</param>
    internal static void WritePacked(IDictionary<string, object?> headers, RetryState state, string origin)
    {
        if (PackedState.Write(state, origin) is not { } packed)
        {
            Write(headers, state, origin);
            return;
        }

        foreach (var name in Plain)
        {
            headers.Remove(name);
        }

        headers[RetryHeaderNames.State] = packed;
    }

    /// <summary>Writes the state; headers of ours that it no longer has are removed.</summary>
    /// <remarks>The history gets what the others leave of the 4 KB: its oldest attempts are the first to go.</remarks>
    /// <param name="headers">The message's headers, which are changed.</param>
    /// <param name="state">The state.</param>
    /// <param name="origin">The work queue that writes.</param>
    public static void Write(IDictionary<string, object?> headers, RetryState state, string origin)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentException.ThrowIfNullOrEmpty(origin);

        headers.Remove(RetryHeaderNames.State);
        var used = Set(headers, RetryHeaderNames.Origin, origin);
        used += SetAlways(headers, RetryHeaderNames.Attempt, state.Attempt);
        used += Set(headers, RetryHeaderNames.Id, Line(state.Id, RetryState.MaxId));
        used += Set(headers, RetryHeaderNames.FirstFailedAt, state.FirstFailedAt);
        used += Set(headers, RetryHeaderNames.DueAt, state.DueAt);
        used += Set(headers, RetryHeaderNames.ComesByAt, state.ComesByAt);
        used += Set(headers, RetryHeaderNames.Deadline, state.Deadline);
        used += Set(headers, RetryHeaderNames.Error, Line(state.Error, RetryState.MaxError));
        used += Set(headers, RetryHeaderNames.ErrorTypes, Line(state.ErrorTypes, RetryState.MaxError));
        used += Set(headers, RetryHeaderNames.Reason, state.Reason?.ToString());
        used += Set(headers, RetryHeaderNames.Crashes, state.Crashes);
        used += Set(headers, RetryHeaderNames.Probes, state.Probes);
        used += Set(headers, RetryHeaderNames.Replayed, state.Replayed);
        used += Set(headers, RetryHeaderNames.Plan, Line(state.Plan, RetryState.MaxPlan));
        used += WriteKept(headers, state.Kept);

        var left = MaxBytes - used - EntryOverhead - RetryHeaderNames.History.Length;
        Set(headers, RetryHeaderNames.History, state.History.Within(left) is { Length: > 0 } history ? history : null);
    }

    private static int WriteKept(IDictionary<string, object?> headers, KeptProperties kept)
    {
        if (ReferenceEquals(kept, KeptProperties.None))
        {
            headers.Remove(RetryHeaderNames.Kept);
            return 0;
        }

        var table = new Dictionary<string, object?>();
        var used = EntryOverhead + RetryHeaderNames.Kept.Length;
        used += Set(table, KeptNames.Exchange, Whole(kept.Exchange, MaxShortText));
        used += Set(table, KeptNames.RoutingKey, Whole(kept.RoutingKey, MaxShortText));
        used += Set(table, KeptNames.Expiration, Whole(kept.Expiration, MaxExpiration));
        used += Set(table, KeptNames.ExpiresAt, kept.ExpiresAt);
        used += Set(table, KeptNames.UserId, Whole(kept.UserId, MaxShortText));
        used += kept.Priority is { } priority ? SetAlways(table, KeptNames.Priority, priority) : 0;
        used += SetCopies(table, KeptNames.Cc, kept.Cc);
        used += SetCopies(table, KeptNames.Bcc, kept.Bcc);
        if (table.Count == 0)
        {
            headers.Remove(RetryHeaderNames.Kept);
            return 0;
        }

        headers[RetryHeaderNames.Kept] = table;
        return used;
    }

    private static string? Line(string? text, int maxChars) => text is null ? null : HeaderText.OneLine(text, maxChars);

    // half a routing key would be another one
    private static string? Whole(string? text, int maxBytes) => text is null || Encoding.UTF8.GetByteCount(text) > maxBytes ? null : text;

    private static int SetCopies(Dictionary<string, object?> table, string name, IReadOnlyList<string>? copies)
    {
        var written = new List<string>();
        var used = EntryOverhead + name.Length;
        foreach (var copy in copies ?? [])
        {
            var bytes = EntryOverhead + Encoding.UTF8.GetByteCount(copy);
            if (used + bytes <= MaxCopiesBytes)
            {
                written.Add(copy);
                used += bytes;
            }
        }

        if (written.Count == 0)
        {
            return 0;
        }

        table[name] = written;
        return used;
    }

    private static int Set(IDictionary<string, object?> headers, string name, string? value)
    {
        if (value is null)
        {
            headers.Remove(name);
            return 0;
        }

        headers[name] = value;
        return EntryOverhead + name.Length + Encoding.UTF8.GetByteCount(value);
    }

    private static int Set(IDictionary<string, object?> headers, string name, int value)
    {
        if (value == 0)
        {
            headers.Remove(name);
            return 0;
        }

        return SetAlways(headers, name, value);
    }

    private static int SetAlways(IDictionary<string, object?> headers, string name, int value)
    {
        headers[name] = value;
        return EntryOverhead + name.Length + NumberBytes;
    }

    private static int Set(IDictionary<string, object?> headers, string name, DateTimeOffset? value)
    {
        if (value is not { } time)
        {
            headers.Remove(name);
            return 0;
        }

        headers[name] = time.ToUnixTimeMilliseconds();
        return EntryOverhead + name.Length + NumberBytes;
    }
}
