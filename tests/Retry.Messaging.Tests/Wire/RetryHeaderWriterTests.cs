using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Wire;

public class RetryHeaderWriterTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, 123, TimeSpan.Zero);

    [Fact]
    public void What_is_written_is_what_is_read()
    {
        var state = Full("m-1", "boom", 2, "shop", "order.created", "12000", "guest", ["a", "b"], "plan-7");
        var headers = new Dictionary<string, object?>();

        RetryHeaderWriter.Write(headers, state, "orders");
        var read = RetryHeaderReader.Read(headers, "orders");

        headers.Keys.ShouldAllBe(name => name.StartsWith("retry-", StringComparison.Ordinal));
        (read with { History = state.History, Kept = state.Kept }).ShouldBe(state);
        read.History.Attempts.ShouldBe(state.History.Attempts);
        (read.Kept with { Cc = null, Bcc = null }).ShouldBe(state.Kept with { Cc = null, Bcc = null });
        read.Kept.Cc.ShouldBe(["a", "b"]);
        read.Kept.Bcc.ShouldBe(["a", "b"]);
    }

    [Fact]
    public void What_the_state_no_longer_has_is_removed_and_nothing_else()
    {
        var headers = new Dictionary<string, object?> { ["mine"] = 1 };
        RetryHeaderWriter.Write(headers, Full("m-1", "boom", 2, "shop", "key", "12000", "guest", ["a"], "plan-7"), "orders");

        RetryHeaderWriter.Write(headers, RetryState.Fresh, "orders");

        headers.Keys.ShouldBe(["mine", RetryHeaderNames.Origin, RetryHeaderNames.Attempt], ignoreOrder: true);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('ö')]
    [InlineData('注')]
    public void At_worst_they_stay_under_4_KB_together_and_the_newest_attempt_survives(char letter)
    {
        var longest = new string(letter, 100_000);
        var shortString = new string(letter, 255 / System.Text.Encoding.UTF8.GetByteCount([letter]));
        var copies = Enumerable.Repeat(shortString, 500).Append("a").ToArray();
        var state = Full(longest, longest, 12, shortString, shortString, "9223372036854775807", shortString, copies, longest) with { Reason = ParkReason.Parse(longest), Attempt = int.MaxValue };
        var headers = new Dictionary<string, object?>();

        RetryHeaderWriter.Write(headers, state, new string(letter, 239 / System.Text.Encoding.UTF8.GetByteCount([letter])));

        WireSize.Of(headers).ShouldBeLessThanOrEqualTo(RetryHeaderWriter.MaxBytes);
        headers.Values.OfType<string>().ShouldAllBe(text => System.Text.Encoding.UTF8.GetByteCount(text) <= RetryHistory.MaxBytes);
        var read = RetryHeaderReader.Read(headers);
        read.Kept.RoutingKey.ShouldBe(shortString);
        if (letter == 'x')
        {
            read.History.Attempts[^1].Number.ShouldBe(12);
        }
    }

    [Fact]
    public void A_history_alone_may_take_3_KB()
    {
        var state = RetryState.Fresh with { History = History(12, new string('x', 1000)) };
        var headers = new Dictionary<string, object?>();

        RetryHeaderWriter.Write(headers, state, "orders");

        ((string)headers[RetryHeaderNames.History]!).Length.ShouldBeInRange(2_500, RetryHistory.MaxBytes);
    }

    [Fact]
    public void What_is_too_long_to_be_a_routing_key_is_left_out_rather_than_cut()
    {
        var state = RetryState.Fresh with { Kept = new KeptProperties { Exchange = new string('x', 256), RoutingKey = "key", Cc = [new string('y', 300), "b"] } };
        var headers = new Dictionary<string, object?>();

        RetryHeaderWriter.Write(headers, state, "orders");

        var kept = RetryHeaderReader.Read(headers).Kept;
        kept.Exchange.ShouldBeNull();
        kept.RoutingKey.ShouldBe("key");
        kept.Cc.ShouldBe(["b"]);
    }

    private static RetryHistory History(int attempts, string text) => Enumerable.Range(1, attempts)
        .Aggregate(RetryHistory.Empty, (history, number) => history.With(new RetryAttempt(number, Now.AddSeconds(number), text, text, text)));

    private static RetryState Full(string id, string error, int attempts, string exchange, string key, string expiration, string user, string[] copies, string plan) => new()
    {
        Id = id,
        Attempt = attempts + 1,
        FirstFailedAt = Now,
        DueAt = Now.AddMinutes(1),
        Deadline = Now.AddDays(7),
        Error = error,
        History = History(attempts, error),
        Reason = ParkReason.Exhausted,
        Crashes = 1,
        Replayed = 2,
        Plan = plan,
        Kept = new KeptProperties { Exchange = exchange, RoutingKey = key, Priority = 9, Expiration = expiration, ExpiresAt = Now.AddSeconds(12), UserId = user, Cc = copies, Bcc = copies },
    };
}
