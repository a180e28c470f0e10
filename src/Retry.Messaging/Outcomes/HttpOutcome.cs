using System.Net;

namespace Retry.Messaging.Outcomes;

/// <summary>What the answer of an HTTP service means for the message that caused the call.</summary>
public static class HttpOutcome
{
    /// <summary>Decides by status code.</summary>
    /// <param name="status">The status code of an answer.</param>
    /// <returns>
    /// <see cref="Outcome.Ok"/> for 2xx; <see cref="Outcome.Fail"/> for 4xx except 408 Request Timeout, 425 Too Early and 429 Too Many
    /// Requests; <see cref="Outcome.Error"/> for those, for 5xx and for all that is unsure, such as a redirect that nobody followed.
    /// </returns>
    public static Outcome Of(HttpStatusCode status) => (int)status switch
    {
        >= 200 and <= 299 => Outcome.Ok,
        408 or 425 or 429 => Outcome.Error,
        >= 400 and <= 499 => Outcome.Fail,
        _ => Outcome.Error,
    };

    /// <summary>Decides by the exception of a call.</summary>
    /// <param name="exception">The exception; without a status code it is a fault of the connection.</param>
    /// <returns>The outcome of its status code; <see cref="Outcome.Error"/> for connection faults and for an answer that broke off after a
    /// good status.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exception"/> is null.</exception>
    public static Outcome Of(HttpRequestException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.StatusCode is { } status && Of(status) == Outcome.Fail ? Outcome.Fail : Outcome.Error;
    }
}
