using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Output;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Cli;

public sealed class TablesTests
{
    private const string Id = "8f779b16-49f5-46f3-ba8d-b053c8c55dde";
    private const string Error = "System.Net.Http.HttpRequestException: Response status code does not indicate success: 503 (Service Unavailable).";

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(120)]
    [InlineData(155)]
    [InlineData(200)]
    public void A_terminal_of_any_width_shows_ids_and_words_whole(int width)
    {
        var host = Terminal(width);
        var table = Tables.Create(host, ["ID", "REASON", "ATTEMPTS", "PARKED AT"], ["MESSAGE TYPE", "ERROR"]);
        Tables.AddRow(table, Id, "Exhausted", "9", "2026-11-22 18:00:00Z", "Shop.ChargeRequested", Error);

        Tables.Write(host, table, narrowest: 30);

        var written = host.Out.ToString()!;
        foreach (var whole in (string[])["ID", "REASON", "ATTEMPTS", "PARKED AT", Id, "Exhausted", "2026-11-22 18:00:00Z"])
        {
            written.ShouldContain(whole);
        }

        written.ShouldNotContain("…");
        foreach (var word in Error.Split(' ')[1..])
        {
            written.ShouldContain(word);
        }
    }

    [Fact]
    public void Text_is_folded_into_the_terminal_where_there_is_room()
    {
        var host = Terminal(80);
        var table = Tables.Create(host, ["KIND"], ["WHERE", "FOUND", "WANTED", "NEXT STEP"]);
        Tables.AddRow(table, "Missing", "exchange 'retry.v1.s'", "none", "a durable topic exchange", "Run 'retryctl topology apply'.");

        Tables.Write(host, table, narrowest: 12);

        var lines = host.Out.ToString()!.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.ShouldAllBe(line => line.TrimEnd().Length <= 80);
        foreach (var text in (string[])["Missing", "FOUND", "none", "durable", "topology"])
        {
            lines.ShouldContain(line => line.Contains(text, StringComparison.Ordinal), text);
        }
    }

    private static CliHost Terminal(int width) => new() { Out = new StringWriter { NewLine = "\n" }, Error = TextWriter.Null, OutIsTerminal = true, Width = width };
}
