using System.Text;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Wire;

public sealed class PackedStateTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 1, 12, 0, 0, 123, TimeSpan.Zero);

    private static readonly RetryState Full = new()
    {
        Id = "p-1",
        Attempt = 3,
        FirstFailedAt = At,
        DueAt = At.AddSeconds(30),
        ComesByAt = At.AddSeconds(10),
        Deadline = At.AddDays(7),
        Error = "Shop.GatewayException: 503 = busy",
        History = RetryHistory.Empty.With(new RetryAttempt(1, At, "web-1", "Shop.GatewayException", "502")).With(new RetryAttempt(2, At, "web-2", "Shop.GatewayException", "503 = busy")),
        Crashes = 2,
        Replayed = 1,
        Plan = "after the outage",
        Kept = new KeptProperties { Exchange = "shop", RoutingKey = "a=b" },
    };

    private static readonly Dictionary<string, RetryState> States = new()
    {
        ["everything"] = Full,
        ["fresh"] = RetryState.Fresh,
        ["no error though there is a history"] = Full with { Error = null },
        ["an error longer than its line"] = Full with { Error = "Shop.GatewayException: " + new string('e', 200) },
        ["no history"] = Full with { History = RetryHistory.Empty },
        ["the default exchange"] = Full with { Kept = new KeptProperties { Exchange = string.Empty, RoutingKey = "orders" } },
        ["a reason"] = Full with { Reason = ParkReason.Expired },
        ["an expiration"] = Full with { Kept = Full.Kept with { Expiration = "5000", ExpiresAt = At } },
        ["a priority and copies"] = Full with { Kept = Full.Kept with { Priority = 7, Cc = ["x", "y"] } },
        ["a line break in a key"] = Full with { Kept = Full.Kept with { RoutingKey = "a\nattempt=1" } },
        ["a line break in a plan"] = Full with { Plan = "a\nattempt=1" },
    };

    public static TheoryData<string> Whats => [.. States.Keys];

    [Theory]
    [MemberData(nameof(Whats))]
    public void What_climbs_comes_back(string what)
    {
        var state = States[what];
        var headers = new Dictionary<string, object?> { ["tenant"] = "t" };

        RetryHeaderWriter.WritePacked(headers, state, "orders");
        var read = RetryHeaderReader.Read(OverTheWire(headers), "orders");

        var expected = Separately(state);
        (read with { History = RetryHistory.Empty, Kept = KeptProperties.None }).ShouldBe(expected with { History = RetryHistory.Empty, Kept = KeptProperties.None }, what);
        read.History.ToString().ShouldBe(state.History.ToString());
        (read.Kept with { Cc = null }).ShouldBe(expected.Kept with { Cc = null });
        (read.Kept.Cc ?? []).ShouldBe(state.Kept.Cc ?? []);
        headers["tenant"].ShouldBe("t");
    }

    [Fact]
    public void Takes_one_header_where_nothing_unusual_was_taken_off()
    {
        var headers = new Dictionary<string, object?>();
        RetryHeaderWriter.Write(headers, Full, "orders");

        RetryHeaderWriter.WritePacked(headers, Full, "orders");

        headers.Keys.ShouldBe([RetryHeaderNames.State]);
    }

    [Fact]
    public void A_parked_message_has_headers_of_their_own()
    {
        var headers = new Dictionary<string, object?>();
        RetryHeaderWriter.WritePacked(headers, Full, "orders");

        RetryHeaderWriter.Write(headers, Full, "orders");

        headers.ShouldNotContainKey(RetryHeaderNames.State);
        headers[RetryHeaderNames.Attempt].ShouldBe(3);
    }

    [Fact]
    public void Another_queue_does_not_believe_it()
    {
        var headers = new Dictionary<string, object?>();
        RetryHeaderWriter.WritePacked(headers, Full, "payments");

        RetryHeaderReader.Read(OverTheWire(headers), "orders").ShouldBeSameAs(RetryState.Fresh);
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("attempt=many", int.MaxValue)]
    [InlineData("attempt=0", int.MaxValue)]
    [InlineData("attempt=-3", int.MaxValue)]
    [InlineData("attempt=99999999999999999999", int.MaxValue)]
    [InlineData("attempt=4\nattempt=5", 5)]
    [InlineData("=\n==\nattempt\nkept=x\ncrashes=y\ndue-at=-1\nerror=\nattempt=2", 2)]
    [InlineData("attempt=2\nhistory=1\tnonsense\nattempt=1", 2)]
    public void Whatever_a_stranger_writes_is_read_as_headers_are(string text, int attempt)
    {
        var headers = new Dictionary<string, object?> { [RetryHeaderNames.State] = Encoding.UTF8.GetBytes("origin=orders\n" + text) };

        var read = RetryHeaderReader.Read(headers, "orders");

        read.Attempt.ShouldBe(attempt);
        read.Crashes.ShouldBe(0);
        read.DueAt.ShouldBeNull();
    }

    [Fact]
    public void Stays_within_its_four_kilobytes()
    {
        var history = RetryHistory.Empty;
        for (var number = 1; number <= 12; number++)
        {
            history = history.With(new RetryAttempt(number, At, new string('h', 64), new string('t', 120), new string('é', 100)));
        }

        var headers = new Dictionary<string, object?>();
        RetryHeaderWriter.WritePacked(headers, Full with { History = history, Error = new string('é', 300), Kept = new KeptProperties { Exchange = new string('x', 255), RoutingKey = new string('k', 255) } }, new string('q', 239));

        Encoding.UTF8.GetByteCount((string)headers[RetryHeaderNames.State]!).ShouldBeInRange(1, RetryHeaderWriter.MaxBytes);
        RetryHeaderReader.Read(headers).History.Attempts[^1].Number.ShouldBe(12);
    }

    // what headers of their own would have brought back
    private static RetryState Separately(RetryState state)
    {
        var headers = new Dictionary<string, object?>();
        RetryHeaderWriter.Write(headers, state, "orders");
        return RetryHeaderReader.Read(OverTheWire(headers), "orders");
    }

    // texts arrive as bytes
    private static Dictionary<string, object?> OverTheWire(IDictionary<string, object?> headers) =>
        headers.ToDictionary(header => header.Key, header => header.Value is string text ? Encoding.UTF8.GetBytes(text) : header.Value);
}
