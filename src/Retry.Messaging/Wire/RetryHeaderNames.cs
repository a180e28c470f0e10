namespace Retry.Messaging.Wire;

/// <summary>The one home of the names of the message headers that this library writes.</summary>
public static class RetryHeaderNames
{
    /// <summary>Id of the chain, made at the first failure: the message id and a hash of all that the sender said; also the parked id. String.</summary>
    public const string Id = "retry-id";

    /// <summary>The work queue that wrote these headers. String.</summary>
    public const string Origin = "retry-origin";

    /// <summary>Number of the next attempt. Integer.</summary>
    public const string Attempt = "retry-attempt";

    /// <summary>When the first attempt failed, in milliseconds since 1970, UTC. Integer.</summary>
    public const string FirstFailedAt = "retry-first-failed-at";

    /// <summary>When the next attempt is due, in milliseconds since 1970, UTC. Integer.</summary>
    public const string DueAt = "retry-due-at";

    /// <summary>When it comes by before it is due, for operators who release what waits, in milliseconds since 1970, UTC; absent where it comes
    /// when it is due. Integer.</summary>
    public const string ComesByAt = "retry-comes-by-at";

    /// <summary>When the message stops being worth a retry, in milliseconds since 1970, UTC. Integer.</summary>
    public const string Deadline = "retry-deadline";

    /// <summary>Type and message of the last error, at most 300 characters. String.</summary>
    public const string Error = "retry-error";

    /// <summary>Types of the last error and of every exception inside it, outermost first, at most 300 characters; absent where nothing is
    /// inside. String.</summary>
    public const string ErrorTypes = "retry-error-types";

    /// <summary>The last ten attempts, at most 3 KB. String, one line each.</summary>
    public const string History = "retry-history";

    /// <summary>Why the message was parked. String.</summary>
    public const string Reason = "retry-reason";

    /// <summary>Deliveries that a process did not survive. Integer.</summary>
    public const string Crashes = "retry-crashes";

    /// <summary>How often the message was run to try a target that was ill; such a run uses no attempt. Integer.</summary>
    public const string Probes = "retry-probes";

    /// <summary>How often the message was replayed. Integer.</summary>
    public const string Replayed = "retry-replayed";

    /// <summary>The plan that replayed it last. String.</summary>
    public const string Plan = "retry-plan";

    /// <summary>Properties that had to be taken off the message: priority, expiration, user id, CC, BCC, exchange, routing key. Table.</summary>
    public const string Kept = "retry-kept";

    /// <summary>All of the above but <see cref="ErrorTypes"/> in one text, while the message climbs: one line for each, its name without
    /// <see cref="Prefix"/>, <c>=</c>, its value; the history last. String.</summary>
    /// <remarks>Each header of its own costs the broker some 9 µs at every retry; a parked message has them one by one, for people and other tools.</remarks>
    public const string State = "retry-state";

    /// <summary>When a scheduled message is due, where it goes and what had to be taken off it: a JSON document. Taken off when it is dispatched. String.</summary>
    public const string Schedule = "retry-schedule";

    /// <summary>How often a scheduled message may have been dispatched before, or how many runs of a plan may have sent a replayed one
    /// before; absent where that cannot have been. Integer.</summary>
    public const string Repeated = "retry-repeated";

    /// <summary>The name of the recurrence that a message is of. String.</summary>
    public const string Recurrence = "retry-recurrence";

    /// <summary>The slot of a recurring message: when it was due, in milliseconds since 1970, UTC. Integer.</summary>
    public const string Slot = "retry-slot";

    /// <summary>On a send that waits in an outbox: when it is due and the delay that this came to at the call. Taken off before it is published. String.</summary>
    internal const string Asked = "retry-schedule-asked";

    /// <summary>On a record of the cancelled: the token, and when it was cancelled. String.</summary>
    internal const string Cancelled = "retry-cancelled";

    /// <summary>Whose message it is, at most 128 characters: the value of the header that the point's setting <c>Tenant</c> names. Only on a
    /// parked message. String.</summary>
    public const string Tenant = "retry-tenant";

    /// <summary>Who changed what in a replayed copy, at most 300 characters; absent where nothing was changed. String.</summary>
    public const string Changed = "retry-changed";

    /// <summary>On a request or message that a consumer sends on: the number of its attempt. String.</summary>
    public const string ChainAttempt = "retry-chain-attempt";

    /// <summary>On a request or message that a consumer sends on: when its own message stops being worth an attempt, in milliseconds since
    /// 1970, UTC. String.</summary>
    public const string ChainDeadline = "retry-chain-deadline";

    /// <summary>What all of the above start with.</summary>
    public const string Prefix = "retry-";
}
