using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Parking;

namespace Retry.Messaging.Cli.Commands;

/// <summary><c>lost list</c>: what left the ladder because its destination was not there. Changes nothing.</summary>
internal static class LostListCommand
{
    private const int DefaultRows = 50;
    private const int ErrorWidth = 100;

    public static Command Create(CliHost host)
    {
        var command = new Command("list", "Lists lost messages and where they were going; looking changes nothing.");
        var selection = SelectionOptions.LostIdsAndConditions(command, withIds: false);
        var limit = new Option<int?>("--limit") { Description = $"Stop after this many; 0 for all. Default: a table shows {DefaultRows} and counts the rest, --json writes all.", HelpName = "N" };
        limit.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && (!int.TryParse(token.Value, out var n) || n < 0))
            {
                result.AddError($"--limit: found '{token.Value}', wanted a number of messages, 0 for all.");
            }
        });
        command.Options.Add(limit);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, selection, parsed.GetValue(limit), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, SelectionOptions selection, int? limit, CancellationToken cancellationToken)
    {
        var filter = selection.FilterOf(parsed, host.Time.GetUtcNow()) with { Limit = limit > 0 ? limit : null };
        var json = parsed.GetValue(GlobalOptions.Json);
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);

        var tally = new LostTally();
        var rows = new List<ParkedMessage>();
        // on one terminal, lines of JSON and a bar would run into each other
        var display = json && host.OutIsTerminal ? host with { ErrorIsTerminal = false } : host;
        await ProgressDisplay.RunAsync(display, $"Reading {BrokerNames.LostQueue}", async report =>
        {
            await foreach (var message in new LostMessages(connection, host.Time).ListAsync(filter, new ReadingProgress(report), cancellationToken).ConfigureAwait(false))
            {
                tally.Add(message);
                if (json)
                {
                    JsonOutput.WriteLine(host.Out, ParkedMessageDocument.From(message));
                }
                else if (limit is not null || rows.Count < DefaultRows)
                {
                    rows.Add(message);
                }
            }
        }).ConfigureAwait(false);

        if (!json)
        {
            WriteTable(host, rows, tally);
        }

        return ExitCode.Done;
    }

    private static void WriteTable(CliHost host, List<ParkedMessage> rows, LostTally tally)
    {
        if (tally.Count == 0)
        {
            host.Out.WriteLine("No lost message matches.");
            return;
        }

        var table = Tables.Create(host, "ID", "QUEUE", "REASON", "ATTEMPTS", "FIRST FAILED AT", "MESSAGE TYPE", "ERROR");
        foreach (var row in rows)
        {
            Tables.AddRow(table, row.Id, row.WorkQueue, row.Reason.ToString(), Printable.Count(row.Attempts), Printable.Time(row.FirstFailedAt), row.MessageType ?? "-", Printable.Start(row.Error ?? "-", ErrorWidth));
        }

        Tables.Write(host, table);
        var more = tally.Count - rows.Count;
        host.Out.WriteLine();
        host.Out.WriteLine($"{Printable.Messages(tally.Count)}: {tally}.{(more > 0 ? $" The table shows the first {Printable.Count(rows.Count)}; --limit 0 shows all." : "")}");
    }
}
