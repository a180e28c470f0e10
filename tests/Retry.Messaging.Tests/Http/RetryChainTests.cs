using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Http;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Http;

public class RetryChainTests
{
    private static readonly DateTimeOffset Deadline = DateTimeOffset.FromUnixTimeMilliseconds(1_900_000_000_123);

    [Fact]
    public void What_is_handed_on_is_read_as_it_was()
    {
        using var request = new HttpRequestMessage();
        new RetryChain(2, null).AddTo(request.Headers);
        new RetryChain(3, Deadline).AddTo(request.Headers);

        RetryChain.Read(name => request.Headers.TryGetValues(name, out var values) ? values.Single() : null).ShouldBe(new RetryChain(3, Deadline));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("0", "1900000000123")]
    [InlineData("-1", null)]
    [InlineData("two", null)]
    [InlineData("99999999999", null)]
    public void Nonsense_says_nothing(string? attempt, string? deadline) =>
        RetryChain.Read(name => name.EndsWith("attempt", StringComparison.Ordinal) ? attempt : deadline).ShouldBeNull();

    [Theory]
    [InlineData("soon")]
    [InlineData("9999999999999999")]
    public void A_deadline_that_makes_no_sense_is_none(string deadline) =>
        RetryChain.Read(name => name.EndsWith("attempt", StringComparison.Ordinal) ? "2" : deadline).ShouldBe(new RetryChain(2, null));

    [Fact]
    public void What_is_left_is_never_less_than_nothing()
    {
        var clock = new FakeTimeProvider(Deadline.AddSeconds(-5));

        new RetryChain(1, Deadline).Left(clock).ShouldBe(TimeSpan.FromSeconds(5));
        clock.Advance(TimeSpan.FromSeconds(6));
        new RetryChain(1, Deadline).Left(clock).ShouldBe(TimeSpan.Zero);
        new RetryChain(1, null).Left(clock).ShouldBeNull();
    }
}
