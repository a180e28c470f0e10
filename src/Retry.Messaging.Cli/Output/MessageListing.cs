using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Output;

/// <summary>What the commands that list messages share: reading with progress, as lines of JSON or as the first rows of a table.</summary>
internal sealed class MessageListing
{
    private const int DefaultRows = 50;

    private readonly Option<int?> _limit = new("--limit") { Description = $"Stop after this many; 0 for all. Default: a table shows {DefaultRows} and counts the rest, --json writes all.", HelpName = "N" };

    public MessageListing(Command command)
    {
        _limit.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && (!int.TryParse(token.Value, out var n) || n < 0))
            {
                result.AddError($"--limit: found '{token.Value}', wanted a number of messages, 0 for all.");
            }
        });
        command.Options.Add(_limit);
    }

    /// <summary>Whether a number of messages was asked for.</summary>
    public bool IsLimited(ParseResult parsed) => parsed.GetValue(_limit) is not null;

    /// <summary>The filter, ended after as many messages as were asked for.</summary>
    public ParkedFilter Limited(ParkedFilter filter, ParseResult parsed) => filter with { Limit = parsed.GetValue(_limit) is > 0 and var limit ? limit : null };

    /// <summary>Reads all messages, and writes them where JSON is wanted.</summary>
    /// <returns>The rows of the table; none with JSON.</returns>
    public async Task<IReadOnlyList<ParkedMessage>> ReadAsync(
        CliHost host,
        ParseResult parsed,
        string source,
        Func<ReadingProgress, IAsyncEnumerable<ParkedMessage>> read,
        Action<ParkedMessage> count)
    {
        var json = parsed.GetValue(GlobalOptions.Json);
        var all = parsed.GetValue(_limit) is not null;
        var rows = new List<ParkedMessage>();
        // on one terminal, lines of JSON and a bar would run into each other
        var display = json && host.OutIsTerminal ? host with { ErrorIsTerminal = false } : host;
        await ProgressDisplay.RunAsync(display, $"Reading {source}", async report =>
        {
            await foreach (var message in read(new ReadingProgress(report)).ConfigureAwait(false))
            {
                count(message);
                if (json)
                {
                    JsonOutput.WriteLine(host.Out, ParkedMessageDocument.From(message));
                }
                else if (all || rows.Count < DefaultRows)
                {
                    rows.Add(message);
                }
            }
        }).ConfigureAwait(false);
        return rows;
    }

    /// <summary>Writes the table, and below it what there is in all.</summary>
    public static void Write(CliHost host, IReadOnlyList<MessageColumn> columns, IReadOnlyList<ParkedMessage> rows, long total, string tally)
    {
        var shown = rows.Count;
        MessageTable.Write(host, columns, rows);
        host.Out.WriteLine();
        host.Out.WriteLine(Printable.Wrap(
            string.Empty,
            $"{Printable.Messages(total)}: {tally}.{(total > shown ? $" The table shows the first {Printable.Count(shown)}; --limit 0 shows all." : "")}",
            host.Width));
    }
}
