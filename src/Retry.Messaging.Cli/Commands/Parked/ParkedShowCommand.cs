using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked show QUEUE ID…</c>: cause, history, headers and body. Changes nothing.</summary>
internal static class ParkedShowCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("show", "Shows parked messages: cause, history, headers, body. Changes nothing.");
        var selection = SelectionOptions.QueueAndIds(command);
        var bodyTo = new Option<FileInfo?>("--body-to") { Description = "Write the body's bytes to this new file; only with one ID.", HelpName = "FILE" };
        command.Options.Add(bodyTo);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, selection, parsed.GetValue(bodyTo), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, SelectionOptions selection, FileInfo? bodyTo, CancellationToken cancellationToken)
    {
        var place = selection.PlaceOf(parsed);
        var ids = selection.Ids(parsed);
        if (ids.Length == 0)
        {
            throw new UsageException($"Found no ID, wanted one as 'retryctl parked list {place.Typed}' shows it.");
        }

        if (bodyTo is not null && ids.Length != 1)
        {
            throw new UsageException($"--body-to: found {ids.Length} ids, wanted one.");
        }

        if (bodyTo?.Exists == true)
        {
            throw new UsageException($"--body-to: '{bodyTo.FullName}' exists already, wanted a new file.");
        }

        var filter = selection.FilterOf(parsed, host.Time.GetUtcNow());
        var json = parsed.GetValue(GlobalOptions.Json);
        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);

        var tally = new ParkedTally(ids);
        var lot = place.Open(connection, management, host.Time);
        var found = new List<ParkedMessage>();
        await ProgressDisplay.RunAsync(host, $"Looking through {place.Queue}", async report =>
        {
            await foreach (var message in lot.ShowAsync(place.Name, filter, new ReadingProgress(report), cancellationToken).ConfigureAwait(false))
            {
                tally.Add(message);
                found.Add(message);
            }
        }).ConfigureAwait(false);

        for (var i = 0; i < found.Count; i++)
        {
            if (json)
            {
                JsonOutput.WriteLine(host.Out, ParkedMessageDocument.From(found[i]));
                continue;
            }

            host.Out.Write(i == 0 ? "" : "\n---\n\n");
            ParkedPage.Write(host, found[i], withBody: bodyTo is null);
        }

        if (bodyTo is not null && found is [{ Body: { } body }, ..])
        {
            await WriteBodyAsync(bodyTo, body, cancellationToken).ConfigureAwait(false);
            await host.Error.WriteLineAsync($"Wrote {Printable.Count(body.Length, "byte")} to {bodyTo.FullName}").ConfigureAwait(false);
        }

        return ParkedAnswer.ReportMissing(host, place, tally);
    }

    private static async Task WriteBodyAsync(FileInfo file, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var stream = file.Open(FileMode.CreateNew, FileAccess.Write);
        await using (stream.ConfigureAwait(false))
        {
            await stream.WriteAsync(body, cancellationToken).ConfigureAwait(false);
        }
    }
}
