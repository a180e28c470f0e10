using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked import QUEUE FILE</c>: puts exported messages into a parking lot.</summary>
internal static class ParkedImportCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("import", "Puts the messages of a file that 'parked export' wrote into a parking lot, byte for byte. What is parked there already is left out, so an import that was cut off is run again. So is a message that was replayed since the export and is parked again.");
        var queue = LimiterCommand.Queue();
        var file = new Argument<FileInfo>("FILE") { Description = "The file that 'parked export' wrote." };
        command.Arguments.Add(queue);
        command.Arguments.Add(file);
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(host, parsed, LimiterCommand.QueueOf(parsed.GetValue(queue)), parsed.GetValue(file)!, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string queue, FileInfo file, CancellationToken cancellationToken)
    {
        var address = GlobalOptions.RequireAddress(parsed, host);
        if (!file.Exists)
        {
            throw new UsageException($"FILE: found no file '{file.FullName}', wanted one that 'retryctl parked export' wrote.");
        }

        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var import = new ParkedImport(connection, RetryPointNames.For(queue), host.Time);
        await import.RunAsync(() => File.ReadLines(file.FullName), cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, new ParkedImportDocument(queue, import.Count, import.AlreadyThere, import.ReplayedSince));
        }
        else
        {
            host.Out.WriteLine(Printable.Wrap(
                string.Empty,
                $"Imported {Printable.Messages(import.Count)} into the parking lot of '{queue}'; {Printable.Count(import.AlreadyThere)} {(import.AlreadyThere == 1 ? "was" : "were")} there already."
                + (import.ReplayedSince == 0 ? string.Empty : $" {Printable.Count(import.ReplayedSince)} more left out: under the same id lies what was replayed since the export and failed again."),
                host.Width));
        }

        return ExitCode.Done;
    }
}
