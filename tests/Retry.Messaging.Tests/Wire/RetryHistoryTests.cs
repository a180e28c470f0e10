using System.Text;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Wire;

public class RetryHistoryTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_last_ten_attempts_are_remembered()
    {
        var history = Enumerable.Range(1, 25).Aggregate(RetryHistory.Empty, (sum, number) => sum.With(Attempt(number)));

        history.Attempts.Select(attempt => attempt.Number).ShouldBe(Enumerable.Range(16, 10));
        RetryHistory.Parse(history.ToString()).Attempts.ShouldBe(history.Attempts);
    }

    [Fact]
    public void A_full_history_stays_within_3_KB_and_drops_the_oldest()
    {
        var history = Enumerable.Range(1, 10).Aggregate(RetryHistory.Empty, (sum, number) => sum.With(Attempt(number, new string('注', 500))));

        Encoding.UTF8.GetByteCount(history.ToString()).ShouldBeLessThanOrEqualTo(RetryHistory.MaxBytes);
        history.Attempts.Count.ShouldBeGreaterThan(2);
        history.Attempts[^1].Number.ShouldBe(10);
    }

    [Theory]
    [InlineData("tab\tline\nreturn\rend", "tab line return end")]
    [InlineData("bell\u0007 escape\u001b[2J", "bell  escape [2J")]
    [InlineData("cart 🛒", "cart 🛒")]
    public void Every_attempt_is_one_readable_line(string message, string shown)
    {
        var history = RetryHistory.Empty.With(Attempt(1, message)).With(Attempt(2));

        history.Attempts.Count.ShouldBe(2);
        history.Attempts[0].Message.ShouldBe(shown);
        history.ToString().Count(c => c == '\n').ShouldBe(1);
        new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(history.ToString()).ShouldNotBeEmpty();
    }

    [Fact]
    public void Half_a_character_is_replaced() // no table: its cells travel as UTF-8, which half a character does not survive
    {
        Attempts("half \ud83d")[0].Message.ShouldBe("half \ufffd");
        Attempts("\udc00 other half")[0].Message.ShouldBe("\ufffd other half");

        static IReadOnlyList<RetryAttempt> Attempts(string message) => RetryHistory.Empty.With(Attempt(1, message)).Attempts;
    }

    [Fact]
    public void A_character_is_never_cut_in_half()
    {
        var message = RetryHistory.Empty.With(Attempt(1, new string('x', 99) + "🛒")).Attempts[0].Message;

        message.ShouldBe(new string('x', 99));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("\n\n\n")]
    [InlineData("no tabs at all")]
    [InlineData("x\t2026-01-01T00:00:00.000Z\thost\ttype\tmessage")]
    [InlineData("-1\t2026-01-01T00:00:00.000Z\thost\ttype\tmessage")]
    [InlineData("1\tyesterday\thost\ttype\tmessage")]
    [InlineData("1\t2026-01-01T00:00:00.000Z\thost\ttype")]
    public void Lines_that_cannot_be_read_are_left_out(string? text) => RetryHistory.Parse(text).Attempts.ShouldBeEmpty();

    [Fact]
    public void A_line_that_a_stranger_wrote_cannot_drive_a_terminal() =>
        RetryHistory.Parse("1\t2026-01-01T00:00:00.000Z\tho\u001b[2Jst\ttype\u0007\tmes\rsage").Attempts.ShouldHaveSingleItem()
            .ShouldBe(new RetryAttempt(1, new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), "ho [2Jst", "type ", "mes sage"));

    [Fact]
    public void One_endless_line_is_forgotten() => RetryHistory.Parse(new string('x', 1_000_000)).ToString().ShouldBeEmpty();

    private static RetryAttempt Attempt(int number, string message = "boom") => new(number, Now.AddSeconds(number), message, message, message);
}
