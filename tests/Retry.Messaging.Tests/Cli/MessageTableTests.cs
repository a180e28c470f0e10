using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Cli;

/// <summary>A list of messages, as wide as the terminal.</summary>
public sealed class MessageTableTests
{
    private const string Id = "8f779b16-49f5-46f3-ba8d-b053c8c55dde";
    private const string Error = "System.Net.Http.HttpRequestException: Response status code does not indicate success: 503 (Service Unavailable).";

    private static readonly DateTimeOffset Now = new(2026, 11, 22, 18, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(120)]
    [InlineData(200)]
    public void A_message_is_one_row_with_its_id_reason_age_and_error(int width)
    {
        var lines = Write(new CliHost { Out = new StringWriter { NewLine = "\n" }, Error = TextWriter.Null, OutIsTerminal = true, Width = width }, Error, "支払いサービスが応答しません。" + Error);

        lines.Length.ShouldBe(3);
        lines.ShouldAllBe(line => Printable.Cells(line) <= width);
        lines[0].ShouldStartWith("ID ");
        lines[1].ShouldStartWith($"{Id}  Exhausted  3h ");
        lines[1].ShouldContain("HttpRequestException: Re");
        lines[1].ShouldNotContain("System.Net");
        lines[2].ShouldEndWith("…");
        lines[0].Contains("PARKED AT", StringComparison.Ordinal).ShouldBe(width > 127);
    }

    [Fact]
    public void A_pipe_gets_every_column()
    {
        var lines = Write(new CliHost { Out = new StringWriter { NewLine = "\n" }, Error = TextWriter.Null }, Error);

        foreach (var whole in (string[])["Exhausted", "3h", "9", "2026-11-22 14:30:00Z", "Shop.ChargeRequested", "System.Net.Http.HttpRequestException: Response status code"])
        {
            lines[1].ShouldContain(whole);
        }
    }

    private static string[] Write(CliHost host, params string[] errors)
    {
        static DateTimeOffset? ParkedAt(ParkedMessage message) => message.ParkedAt;
        List<ParkedMessage> messages = [.. errors.Select(error => new ParkedMessage
        {
            Id = Id,
            WorkQueue = "payments",
            Reason = ParkReason.Exhausted,
            Attempts = 9,
            ParkedAt = Now - TimeSpan.FromHours(3.5),
            MessageType = "Shop.ChargeRequested",
            Error = error,
        })];
        MessageTable.Write(host, [MessageColumn.Id, MessageColumn.Reason, MessageColumn.Age(new StoppedClock(), ParkedAt), MessageColumn.Attempts, MessageColumn.Time("PARKED AT", ParkedAt), MessageColumn.Type], messages);
        return host.Out.ToString()!.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
