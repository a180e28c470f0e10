namespace Retry.Messaging.RabbitMq.Limiter.Gates;

/// <summary>Closed for a backoff of 1 to 30 s after the work queue has refused a message, because it is full or has lost its majority.</summary>
/// <remarks>After the backoff one message is tried alone. A confirm ends it, and a refusal doubles it.</remarks>
/// <param name="unconfirmed">How many releases the broker has not answered yet.</param>
/// <param name="time">The clock.</param>
internal sealed class RefusalGate(Func<int> unconfirmed, TimeProvider time) : IReleaseGate
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(30);

    // the answer to the message that is tried wakes the limiter
    private static readonly TimeSpan AskAfter = TimeSpan.FromSeconds(1);

    private TimeSpan? _backoff;
    private long _since;

    /// <summary>Gets a value indicating whether the work queue refused the last message that it answered.</summary>
    public bool IsRefused => _backoff is not null;

    private TimeSpan Left => _backoff is { } backoff ? backoff - time.GetElapsedTime(_since) : TimeSpan.Zero;

    /// <summary>The work queue took a message.</summary>
    public void Confirmed() => _backoff = null;

    /// <summary>The work queue refused a message. Those that were on their way together count once.</summary>
    public void Refused()
    {
        if (Left > TimeSpan.Zero)
        {
            return;
        }

        var next = _backoff * 2 ?? FirstBackoff;
        _backoff = next < LongestBackoff ? next : LongestBackoff;
        _since = time.GetTimestamp();
    }

    /// <summary>Forgets a refusal, because another limiter may have released in between.</summary>
    public void Reset() => _backoff = null;

    public ValueTask<GateAnswer> AskAsync(CancellationToken cancellationToken) => new(
        Left is var left && left > TimeSpan.Zero ? Closed(left)
        : IsRefused && unconfirmed() > 0 ? Closed(AskAfter)
        : GateAnswer.Open);

    private static GateAnswer Closed(TimeSpan askAfter) => GateAnswer.Closed(askAfter, "the work queue refuses messages: it is full, or has lost its majority");
}
