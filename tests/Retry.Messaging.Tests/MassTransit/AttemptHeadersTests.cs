using MassTransit;
using MassTransit.Serialization;
using Retry.Messaging.MassTransit.Filters;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

public class AttemptHeadersTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(9, 8)]
    [InlineData(int.MaxValue, int.MaxValue - 1)]
    public void The_redelivery_count_is_that_of_the_attempt_whatever_the_envelope_says(int attempt, int redeliveries)
    {
        var original = new DictionarySendHeaders();
        original.Set(MessageHeaders.RedeliveryCount, 77);
        original.Set("mine", "yes");
        var headers = new AttemptHeaders(original, attempt);

        headers.Get<int>(MessageHeaders.RedeliveryCount).ShouldBe(redeliveries > 0 ? redeliveries : null);
        headers.Get<long>("mt-redelivery-count").ShouldBe(redeliveries > 0 ? redeliveries : null);
        headers.Get(MessageHeaders.RedeliveryCount, "none").ShouldBe(redeliveries > 0 ? redeliveries.ToString(System.Globalization.CultureInfo.InvariantCulture) : "none");
        headers.TryGetHeader(MessageHeaders.RedeliveryCount, out _).ShouldBe(redeliveries > 0);
        headers.GetAll().Count(header => header.Key == MessageHeaders.RedeliveryCount).ShouldBe(redeliveries > 0 ? 1 : 0);
        headers.Get<string>("mine").ShouldBe("yes");
        headers.Select(header => header.Key).ShouldContain("mine");
    }
}
