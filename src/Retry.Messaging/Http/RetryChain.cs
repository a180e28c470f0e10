using System.Globalization;
using System.Net.Http.Headers;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Http;

/// <summary>What a service downstream should know of the message that made it be called: whether it is a retry, and how long it will go on.</summary>
/// <remarks>
/// Where three layers retry three times each, the last one is called 27 times. A service that knows that its caller retries need not, and one
/// that knows how long the caller will go on need not work beyond that (Google, Site Reliability Engineering, chapter 22).
/// </remarks>
/// <param name="Attempt">The number of the attempt, from 1.</param>
/// <param name="Deadline">When the message stops being worth an attempt; null where that is not known.</param>
public sealed record RetryChain(int Attempt, DateTimeOffset? Deadline)
{
    /// <summary>Gets a value indicating whether there was an attempt before.</summary>
    public bool IsRetry => Attempt > 1;

    /// <summary>Returns how long the message is still worth an attempt.</summary>
    /// <param name="timeProvider">The clock; the system's when null.</param>
    /// <returns>Zero or longer; null where that is not known.</returns>
    public TimeSpan? Left(TimeProvider? timeProvider = null) => (Deadline - (timeProvider ?? TimeProvider.System).GetUtcNow()) switch
    {
        null => null,
        { Ticks: < 0 } => TimeSpan.Zero,
        var left => left,
    };

    /// <summary>Hands it to the HTTP service that is called: headers <c>retry-chain-attempt</c> and <c>retry-chain-deadline</c> (milliseconds since
    /// 1970, UTC).</summary>
    /// <param name="headers">The request's headers, which are changed.</param>
    /// <exception cref="ArgumentNullException"><paramref name="headers"/> is null.</exception>
    public void AddTo(HttpRequestHeaders headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        headers.Remove(RetryHeaderNames.ChainAttempt);
        headers.Remove(RetryHeaderNames.ChainDeadline);
        headers.Add(RetryHeaderNames.ChainAttempt, Attempt.ToString(CultureInfo.InvariantCulture));
        if (Deadline is { } deadline)
        {
            headers.Add(RetryHeaderNames.ChainDeadline, deadline.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Reads it from the headers of a request or a message, which may hold anything.</summary>
    /// <param name="header">Returns the text of a header, or null.</param>
    /// <returns>Null where the headers say nothing that makes sense.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="header"/> is null.</exception>
    public static RetryChain? Read(Func<string, string?> header)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (!int.TryParse(header(RetryHeaderNames.ChainAttempt), NumberStyles.None, CultureInfo.InvariantCulture, out var attempt) || attempt < 1)
        {
            return null;
        }

        var isTime = long.TryParse(header(RetryHeaderNames.ChainDeadline), NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            && at <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
        return new RetryChain(attempt, isTime ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);
    }
}
