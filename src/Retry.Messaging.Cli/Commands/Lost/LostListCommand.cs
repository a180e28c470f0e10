using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Lost;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Lost;

/// <summary><c>lost list</c>: what left the ladder because its destination was not there. Changes nothing.</summary>
internal static class LostListCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("list", "Lists lost messages and where they were going; looking changes nothing.");
        var selection = SelectionOptions.LostIdsAndConditions(command, withIds: false);
        var listing = new MessageListing(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, selection, listing, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        SelectionOptions selection,
        MessageListing listing,
        CancellationToken cancellationToken)
    {
        var filter = listing.Limited(selection.FilterOf(parsed, host.Time.GetUtcNow()), parsed);
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);

        var tally = new LostTally();
        var lost = new LostMessages(connection, host.Time);
        var rows = await listing.ReadAsync(
            host,
            parsed,
            BrokerNames.LostQueue,
            progress => lost.ListAsync(filter, progress, cancellationToken),
            tally.Add).ConfigureAwait(false);
        if (!parsed.GetValue(GlobalOptions.Json))
        {
            WriteTable(host, rows, tally);
        }

        return ExitCode.Done;
    }

    private static void WriteTable(CliHost host, IReadOnlyList<ParkedMessage> rows, LostTally tally)
    {
        if (tally.Count == 0)
        {
            host.Out.WriteLine("No lost message matches.");
            return;
        }

        static DateTimeOffset? FirstFailedAt(ParkedMessage message) => message.FirstFailedAt;
        MessageListing.Write(
            host,
            [MessageColumn.Id, new("QUEUE", 0, static message => message.WorkQueue), MessageColumn.Age(host.Time, FirstFailedAt), MessageColumn.Attempts, MessageColumn.Time("FIRST FAILED AT", FirstFailedAt), MessageColumn.Type],
            rows,
            tally.Count,
            tally.ToString());
    }
}
