using System.Net;

namespace Retry.Messaging.Http;

/// <summary>An HTTP service refused a call; unlike <see cref="HttpRequestException"/> it keeps when the service wants to be asked again.</summary>
public sealed class HttpFailureException : HttpRequestException
{
    /// <summary>Makes an exception.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="statusCode">The status code of the answer.</param>
    /// <param name="retryAfter">How long the service asked to wait, or null where it said nothing.</param>
    /// <param name="innerException">What caused it, if anything.</param>
    public HttpFailureException(string message, HttpStatusCode statusCode, TimeSpan? retryAfter = null, Exception? innerException = null)
        : base(message, innerException, statusCode) => RetryAfter = retryAfter;

    /// <summary>Gets how long the service asked to wait, zero or longer, or null where it said nothing.</summary>
    public TimeSpan? RetryAfter { get; }
}
