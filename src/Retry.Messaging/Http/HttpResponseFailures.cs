using System.Globalization;
using System.Net.Http.Headers;

namespace Retry.Messaging.Http;

/// <summary>Turns the refusal of an HTTP service into an exception that retry rules understand.</summary>
public static class HttpResponseFailures
{
    /// <summary>Throws unless the status code says success; use it in place of EnsureSuccessStatusCode.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="timeProvider">The clock for a <c>Retry-After</c> date in an answer without a <c>Date</c> header; the system's when null.</param>
    /// <returns>The answer, for chaining.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="response"/> is null.</exception>
    /// <exception cref="HttpFailureException">The status code is not 2xx. The message names method, address without its query, and status.</exception>
    /// <remarks>
    /// <c>Retry-After</c> is read as RFC 9110, section 10.2.3 has it: whole seconds, or a date. A date is compared with the <c>Date</c> of
    /// the same answer, so that a difference between two clocks does not become part of the delay. Anything else counts as absent.
    /// </remarks>
    public static HttpResponseMessage ThrowOnFailure(this HttpResponseMessage response, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(response);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        var retryAfter = RetryAfter(response.Headers, timeProvider ?? TimeProvider.System);
        throw new HttpFailureException(Describe(response, retryAfter), response.StatusCode, retryAfter);
    }

    private static TimeSpan? RetryAfter(HttpResponseHeaders headers, TimeProvider timeProvider)
    {
        TimeSpan? wait = headers.RetryAfter switch
        {
            { Delta: { } seconds } => seconds,
            { Date: { } date } => date - (headers.Date ?? timeProvider.GetUtcNow()),
            _ => null,
        };
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static string Describe(HttpResponseMessage response, TimeSpan? retryAfter)
    {
        // No query, no user name: the message ends up in headers, logs and Faults. No reason phrase: it is the other side's text.
        var request = response.RequestMessage;
        var address = request?.RequestUri is { IsAbsoluteUri: true } uri
            ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped)
            : "The service";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(request is null ? "" : request.Method.Method + " ")}{address} answered {(int)response.StatusCode} ({response.StatusCode}){(retryAfter is { } wait ? $", retry after {DurationText.Format(wait)}" : "")}.");
    }
}
