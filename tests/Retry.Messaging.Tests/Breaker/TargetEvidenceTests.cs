using System.Net;
using Retry.Messaging.Configuration;
using Retry.Messaging.Http;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Breaker;

public class TargetEvidenceTests
{
    private static readonly RetryRules Rules = RetryRules.Create(retry =>
    {
        retry.Breaker();
        retry.BreakerIgnores<FormatException>();
        retry.BreakerIgnores<IOException>(error => error.Message == "own disk");
    });

    public static TheoryData<Exception, string> Errors => new()
    {
        { new TimeoutException(), "Ill" },
        { new InvalidOperationException("x"), "Ill" },
        { new FormatException(), "None" },
        { new InvalidOperationException("x", new FormatException()), "None" },
        { new IOException("own disk"), "None" },
        { new IOException("network"), "Ill" },
        { new HttpFailureException("busy", HttpStatusCode.TooManyRequests), "Slow" },
        { new HttpFailureException("away", HttpStatusCode.ServiceUnavailable), "Ill" },
        { new HttpFailureException("busy", HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(30)), "Slow" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void An_error_speaks_against_the_target_unless_it_is_another_ones(Exception error, string expected) =>
        Rules.EvidenceOf(error).ToString().ShouldBe(expected);
}
