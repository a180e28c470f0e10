using System.CommandLine;
using System.Text;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Parking;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked export QUEUE</c>: writes parked messages as JSON Lines. Changes nothing.</summary>
internal static class ParkedExportCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("export", "Writes parked messages as JSON Lines, each with its properties, headers and body; they stay parked. 'parked import' puts them back, byte for byte.");
        var selection = SelectionOptions.QueueAndConditions(command);
        var to = new Option<FileInfo?>("--output") { Description = "Write into this new file instead of standard output.", HelpName = "FILE" };
        command.Options.Add(to);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, selection, parsed.GetValue(to), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, SelectionOptions selection, FileInfo? to, CancellationToken cancellationToken)
    {
        var place = selection.PlaceOf(parsed);
        var filter = selection.FilterOf(parsed, host.Time.GetUtcNow());
        if (to?.Exists == true)
        {
            throw new UsageException($"--output: '{to.FullName}' exists already, wanted a new file.");
        }

        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var lot = place.Open(connection, management, host.Time);
        var writer = to is null ? host.Out : new StreamWriter(to.Open(FileMode.CreateNew, FileAccess.Write), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        var count = 0;
        try
        {
            await ProgressDisplay.RunAsync(host, $"Reading {place.Queue}", async report =>
            {
                await foreach (var message in lot.ShowAsync(place.Name, filter, new ReadingProgress(report), cancellationToken).ConfigureAwait(false))
                {
                    await writer.WriteLineAsync(ExportedMessage.Of(message).ToLine()).ConfigureAwait(false);
                    count++;
                }
            }).ConfigureAwait(false);
        }
        finally
        {
            if (to is not null)
            {
                await writer.DisposeAsync().ConfigureAwait(false);
            }
        }

        host.Error.WriteLine($"Wrote {Printable.Messages(count)} of '{place.Name}'{(to is null ? "" : $" to {to.FullName}")}.");
        return ExitCode.Done;
    }
}
