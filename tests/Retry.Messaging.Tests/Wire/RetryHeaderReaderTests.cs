using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Wire;

public class RetryHeaderReaderTests
{
    private const string Queue = "orders";

    [Fact]
    public void No_headers_are_a_first_attempt()
    {
        RetryHeaderReader.Read(null, Queue).ShouldBeSameAs(RetryState.Fresh);
        RetryHeaderReader.Read(new Dictionary<string, object?>(), Queue).ShouldBeSameAs(RetryState.Fresh);
        RetryHeaderReader.Read(With(RetryHeaderNames.Error, "only this")).Attempt.ShouldBe(1);
    }

    [Theory]
    [InlineData("invoices")]
    [InlineData("Orders")]
    [InlineData("orders.release")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData(7)]
    public void Headers_that_another_queue_wrote_do_not_count(object? origin)
    {
        var headers = With(RetryHeaderNames.Attempt, 5);
        headers[RetryHeaderNames.Origin] = origin;

        RetryHeaderReader.Read(headers, Queue).ShouldBeSameAs(RetryState.Fresh);
    }

    [Theory]
    [InlineData("orders")]
    [InlineData(new byte[] { 111, 114, 100, 101, 114, 115 })]
    public void Headers_of_this_very_queue_count(object origin)
    {
        var headers = With(RetryHeaderNames.Attempt, 5);
        headers[RetryHeaderNames.Origin] = origin;

        RetryHeaderReader.Read(headers, Queue).Attempt.ShouldBe(5);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData((byte)2, 2)]
    [InlineData((short)3, 3)]
    [InlineData(999L, 999)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(0, int.MaxValue)]
    [InlineData(-1, int.MaxValue)]
    [InlineData(long.MaxValue, int.MaxValue)]
    [InlineData(long.MinValue, int.MaxValue)]
    [InlineData("x", int.MaxValue)]
    [InlineData("1", int.MaxValue)]
    [InlineData(1.0, int.MaxValue)]
    [InlineData(true, int.MaxValue)]
    [InlineData(null, int.MaxValue)]
    [InlineData(new byte[] { 49 }, int.MaxValue)]
    public void An_attempt_that_makes_no_sense_is_the_last_one(object? written, int attempt) =>
        RetryHeaderReader.Read(With(RetryHeaderNames.Attempt, written)).Attempt.ShouldBe(attempt);

    [Theory]
    [InlineData(-1L)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    [InlineData(253402300800000L)]
    [InlineData("2026-01-01")]
    [InlineData(null)]
    [InlineData(new byte[] { 1 })]
    public void A_time_that_makes_no_sense_is_no_time(object? written)
    {
        RetryHeaderReader.Read(With(RetryHeaderNames.FirstFailedAt, written)).FirstFailedAt.ShouldBeNull();
        RetryHeaderReader.Read(With(RetryHeaderNames.DueAt, written)).DueAt.ShouldBeNull();
        RetryHeaderReader.Read(With(RetryHeaderNames.Deadline, written)).Deadline.ShouldBeNull();
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(-3, 0)]
    [InlineData(long.MaxValue, int.MaxValue)]
    [InlineData("3", 0)]
    [InlineData(null, 0)]
    public void Counts_are_clamped(object? written, int count)
    {
        RetryHeaderReader.Read(With(RetryHeaderNames.Crashes, written)).Crashes.ShouldBe(count);
        RetryHeaderReader.Read(With(RetryHeaderNames.Replayed, written)).Replayed.ShouldBe(count);
    }

    [Fact]
    public void Text_is_one_bounded_line_of_valid_characters()
    {
        var invalid = Encoding.UTF8.GetBytes("bad ").Append<byte>(0xFF).Concat("\u001b[2J\r\n\ttail"u8.ToArray()).ToArray();

        RetryHeaderReader.Read(With(RetryHeaderNames.Error, invalid)).Error.ShouldBe("bad \ufffd [2J   tail");
        RetryHeaderReader.Read(With(RetryHeaderNames.Error, new string('x', 100_000))).Error!.Length.ShouldBe(300);
        RetryHeaderReader.Read(With(RetryHeaderNames.Id, new string('x', 100_000))).Id!.Length.ShouldBe(128);
        RetryHeaderReader.Read(With(RetryHeaderNames.Plan, "a\nb")).Plan.ShouldBe("a b");
    }

    [Fact]
    public void An_unknown_reason_is_shown_as_text()
    {
        RetryHeaderReader.Read(With(RetryHeaderNames.Reason, "exhausted")).Reason.ShouldBe(ParkReason.Exhausted);
        RetryHeaderReader.Read(With(RetryHeaderNames.Reason, "Overheated")).Reason.ToString().ShouldBe("Overheated");
        RetryHeaderReader.Read(With(RetryHeaderNames.Reason, 7)).Reason.ShouldBeNull();
    }

    [Theory]
    [InlineData("a table, once")]
    [InlineData(7)]
    [InlineData(null)]
    public void What_was_kept_is_nothing_unless_it_is_a_table(object? written) =>
        RetryHeaderReader.Read(With(RetryHeaderNames.Kept, written)).Kept.ShouldBeSameAs(KeptProperties.None);

    [Fact]
    public void Each_kept_property_is_read_or_left_out()
    {
        var kept = RetryHeaderReader.Read(With(RetryHeaderNames.Kept, new Dictionary<string, object?>
        {
            ["exchange"] = "shop"u8.ToArray(),
            ["routing-key"] = new Dictionary<string, object?> { ["nested"] = 1 },
            ["priority"] = 256,
            ["expiration"] = "soon",
            ["expires-at"] = "now",
            ["cc"] = new List<object?> { "a", 7, "b"u8.ToArray(), null },
        })).Kept;

        kept.Exchange.ShouldBe("shop");
        kept.RoutingKey.ShouldBeNull();
        kept.Priority.ShouldBeNull();
        kept.Expiration.ShouldBeNull();
        kept.ExpiresAt.ShouldBeNull();
        kept.Cc.ShouldBe(["a", "b"]);
        kept.Bcc.ShouldBeNull();
    }

    [Fact]
    public void Whatever_a_stranger_writes_is_read_clamped_and_written_again_within_bounds() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(HostileValues.Headers.ToArbitrary(), headers =>
        {
            var state = RetryHeaderReader.Read(headers);
            var written = new Dictionary<string, object?>();
            RetryHeaderWriter.Write(written, state, Queue);

            return state.Attempt >= 1
                && state.Crashes >= 0
                && state.Replayed >= 0
                && state.History.Attempts.Count <= RetryHistory.MaxEntries
                && state.EarlyBy(DateTimeOffset.UnixEpoch) >= TimeSpan.Zero
                && WireSize.Of(written) <= RetryHeaderWriter.MaxBytes
                && RetryHeaderReader.Read(written, Queue).Attempt == state.Attempt;
        }));

    private static Dictionary<string, object?> With(string name, object? value) => new() { [name] = value };
}
