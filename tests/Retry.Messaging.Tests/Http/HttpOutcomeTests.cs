using System.Net;
using Retry.Messaging.Outcomes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Http;

public class HttpOutcomeTests
{
    [Theory]
    [InlineData(0, Outcome.Error)]
    [InlineData(100, Outcome.Error)]
    [InlineData(199, Outcome.Error)]
    [InlineData(200, Outcome.Ok)]
    [InlineData(299, Outcome.Ok)]
    [InlineData(302, Outcome.Error)]
    [InlineData(399, Outcome.Error)]
    [InlineData(400, Outcome.Fail)]
    [InlineData(404, Outcome.Fail)]
    [InlineData(407, Outcome.Fail)]
    [InlineData(408, Outcome.Error)]
    [InlineData(409, Outcome.Fail)]
    [InlineData(424, Outcome.Fail)]
    [InlineData(425, Outcome.Error)]
    [InlineData(426, Outcome.Fail)]
    [InlineData(428, Outcome.Fail)]
    [InlineData(429, Outcome.Error)]
    [InlineData(430, Outcome.Fail)]
    [InlineData(499, Outcome.Fail)]
    [InlineData(500, Outcome.Error)]
    [InlineData(503, Outcome.Error)]
    [InlineData(599, Outcome.Error)]
    [InlineData(600, Outcome.Error)]
    [InlineData(-1, Outcome.Error)]
    public void Each_status_has_an_outcome(int status, Outcome expected) => HttpOutcome.Of((HttpStatusCode)status).ShouldBe(expected);

    [Fact]
    public void A_fault_of_the_connection_is_an_error() => HttpOutcome.Of(new HttpRequestException("refused")).ShouldBe(Outcome.Error);

    [Fact]
    public void An_answer_that_broke_off_after_a_good_status_is_an_error() =>
        HttpOutcome.Of(new HttpRequestException("broken", null, HttpStatusCode.OK)).ShouldBe(Outcome.Error);
}
