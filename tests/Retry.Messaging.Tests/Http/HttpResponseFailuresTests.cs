using System.Net;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Http;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Http;

public class HttpResponseFailuresTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(null, null)]
    [InlineData("0", 0.0)]
    [InlineData("1", 1.0)]
    [InlineData("120", 120.0)]
    [InlineData("2147483647", 2147483647.0)]
    [InlineData("-1", null)]
    [InlineData("1.5", null)]
    [InlineData("soon", null)]
    [InlineData("später", null)]
    [InlineData("Sun, 01 Mar 2026 12:00:30 GMT", 30.0)]
    [InlineData("Sun, 01 Mar 2026 12:00:00 GMT", 0.0)]
    [InlineData("Sun, 01 Mar 2026 11:00:00 GMT", 0.0)]
    [InlineData("Mon, 01 Mar 2027 12:00:00 GMT", 365 * 86400.0)]
    public void Retry_after_is_seconds_or_a_date(string? header, double? expectedSeconds)
    {
        using var response = Response(HttpStatusCode.ServiceUnavailable, header);

        Thrown(response).RetryAfter?.TotalSeconds.ShouldBe(expectedSeconds!.Value);
        Thrown(response).RetryAfter.HasValue.ShouldBe(expectedSeconds.HasValue);
    }

    [Fact]
    public void A_date_is_compared_with_the_clock_of_the_service_that_wrote_it()
    {
        using var response = Response(HttpStatusCode.TooManyRequests, "Sun, 01 Mar 2026 13:00:30 GMT");
        response.Headers.Date = Now.AddHours(1);

        Thrown(response).RetryAfter.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(204)]
    [InlineData(299)]
    public void Success_is_handed_on(int status)
    {
        using var response = Response((HttpStatusCode)status, "120");

        response.ThrowOnFailure().ShouldBeSameAs(response);
    }

    [Fact]
    public void The_message_names_the_call_without_query_and_user()
    {
        using var response = Response(HttpStatusCode.ServiceUnavailable, "90");
        response.RequestMessage = new HttpRequestMessage(HttpMethod.Post, new Uri("https://user:secret@gateway.example/charge?card=4111"));

        Thrown(response).Message.ShouldBe("POST https://gateway.example/charge answered 503 (ServiceUnavailable), retry after 1m30s.");
    }

    [Fact]
    public void The_message_does_without_a_request()
    {
        using var response = Response(HttpStatusCode.NotFound, null);
        response.RequestMessage = null;

        Thrown(response).Message.ShouldBe("The service answered 404 (NotFound).");
        Thrown(response).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static HttpFailureException Thrown(HttpResponseMessage response) =>
        Should.Throw<HttpFailureException>(() => response.ThrowOnFailure(new FakeTimeProvider(Now)));

    private static HttpResponseMessage Response(HttpStatusCode status, string? retryAfter)
    {
        var response = new HttpResponseMessage(status);
        if (retryAfter is not null)
        {
            response.Headers.TryAddWithoutValidation("Retry-After", retryAfter).ShouldBeTrue();
        }

        return response;
    }
}
