namespace Retry.Messaging.State;

/// <summary>Writes our headers into a message; each is bounded, and together they stay under 4 KB.</summary>
public static class RetryHeaderWriter
{
    /// <summary>Writes the state; headers of ours that it no longer has are removed.</summary>
    /// <param name="headers">The message's headers, which are changed.</param>
    /// <param name="state">The state.</param>
    /// <param name="origin">The work queue that writes.</param>
    public static void Write(IDictionary<string, object?> headers, RetryState state, string origin)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentException.ThrowIfNullOrEmpty(origin);

        headers[RetryHeaderNames.Origin] = origin;
        headers[RetryHeaderNames.Attempt] = state.Attempt;
        Set(headers, RetryHeaderNames.Id, state.Id);
        Set(headers, RetryHeaderNames.FirstFailedAt, state.FirstFailedAt);
        Set(headers, RetryHeaderNames.DueAt, state.DueAt);
        Set(headers, RetryHeaderNames.Deadline, state.Deadline);
        Set(headers, RetryHeaderNames.Error, state.Error);
        Set(headers, RetryHeaderNames.History, state.History.ToString() is { Length: > 0 } history ? history : null);
        Set(headers, RetryHeaderNames.Reason, state.Reason?.ToString());
        Set(headers, RetryHeaderNames.Crashes, state.Crashes);
        Set(headers, RetryHeaderNames.Replayed, state.Replayed);
        Set(headers, RetryHeaderNames.Plan, state.Plan);

        if (WriteKept(state.Kept) is { Count: > 0 } kept)
        {
            headers[RetryHeaderNames.Kept] = kept;
        }
        else
        {
            headers.Remove(RetryHeaderNames.Kept);
        }
    }

    private static Dictionary<string, object?> WriteKept(KeptProperties kept)
    {
        var table = new Dictionary<string, object?>();
        if (ReferenceEquals(kept, KeptProperties.None))
        {
            return table;
        }

        Set(table, KeptNames.Exchange, kept.Exchange);
        Set(table, KeptNames.RoutingKey, kept.RoutingKey);
        Set(table, KeptNames.Expiration, kept.Expiration);
        Set(table, KeptNames.ExpiresAt, kept.ExpiresAt);
        Set(table, KeptNames.UserId, kept.UserId);
        if (kept.Priority is { } priority)
        {
            table[KeptNames.Priority] = (int)priority;
        }

        if (kept.Cc is { Count: > 0 } cc)
        {
            table[KeptNames.Cc] = cc.ToList();
        }

        if (kept.Bcc is { Count: > 0 } bcc)
        {
            table[KeptNames.Bcc] = bcc.ToList();
        }

        return table;
    }

    private static void Set(IDictionary<string, object?> headers, string name, string? value)
    {
        if (value is null)
        {
            headers.Remove(name);
        }
        else
        {
            headers[name] = value;
        }
    }

    private static void Set(IDictionary<string, object?> headers, string name, int value)
    {
        if (value == 0)
        {
            headers.Remove(name);
        }
        else
        {
            headers[name] = value;
        }
    }

    private static void Set(IDictionary<string, object?> headers, string name, DateTimeOffset? value)
    {
        if (value is { } time)
        {
            headers[name] = time.ToUnixTimeMilliseconds();
        }
        else
        {
            headers.Remove(name);
        }
    }
}
