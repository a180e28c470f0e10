using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Parking;

namespace Retry.Messaging.Cli.Commands;

/// <summary><c>parked list QUEUE</c>: what is parked and why. Changes nothing.</summary>
internal static class ParkedListCommand
{
    private const int DefaultRows = 50;
    private const int ErrorWidth = 100;

    public static Command Create(CliHost host)
    {
        var command = new Command("list", "Lists parked messages; looking changes nothing.");
        var selection = SelectionOptions.QueueAndConditions(command);
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
        var queue = selection.Queue(parsed);
        var filter = selection.FilterOf(parsed, host.Time.GetUtcNow()) with { Limit = limit > 0 ? limit : null };
        var json = parsed.GetValue(GlobalOptions.Json);
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);

        var tally = new ParkedTally([]);
        var rows = new List<ParkedMessage>();
        var lot = new ParkingLot(connection);
        // on one terminal, lines of JSON and a bar would run into each other
        var display = json && host.OutIsTerminal ? host with { ErrorIsTerminal = false } : host;
        await ProgressDisplay.RunAsync(display, $"Reading {queue}.parked", async report =>
        {
            await foreach (var message in lot.ListAsync(queue, filter, new ReadingProgress(report), cancellationToken).ConfigureAwait(false))
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
            WriteTable(host, queue, rows, tally, isFiltered: filter with { Limit = null } != ParkedFilter.All);
        }

        return ExitCode.Done;
    }

    private static void WriteTable(CliHost host, string queue, List<ParkedMessage> rows, ParkedTally tally, bool isFiltered)
    {
        if (tally.Count == 0)
        {
            host.Out.WriteLine(isFiltered ? $"No parked message of '{queue}' matches." : $"Nothing is parked for '{queue}'.");
            return;
        }

        var table = Tables.Create(host, "ID", "REASON", "ATTEMPTS", "PARKED AT", "MESSAGE TYPE", "ERROR");
        foreach (var row in rows)
        {
            Tables.AddRow(
                table,
                row.Id,
                row.Reason.ToString(),
                Printable.Count(row.Attempts),
                Printable.Time(row.ParkedAt),
                row.MessageType ?? "-",
                Printable.Start(row.Error ?? (row.BrokerReason is { } word ? $"(by the broker: {word})" : "-"), ErrorWidth));
        }

        Tables.Write(host, table);
        var more = tally.Count - rows.Count;
        host.Out.WriteLine();
        host.Out.WriteLine($"{Printable.Messages(tally.Count)}: {tally}.{(more > 0 ? $" The table shows the first {Printable.Count(rows.Count)}; --limit 0 shows all." : "")}");
    }
}
