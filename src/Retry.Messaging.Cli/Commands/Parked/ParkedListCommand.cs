using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked list QUEUE</c>: what is parked and why. Changes nothing.</summary>
internal static class ParkedListCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("list", "Lists parked messages; looking changes nothing.");
        var selection = SelectionOptions.QueueAndConditions(command);
        var groups = new ParkedGroups(command);
        var listing = new MessageListing(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, selection, groups, listing, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        SelectionOptions selection,
        ParkedGroups groups,
        MessageListing listing,
        CancellationToken cancellationToken)
    {
        var place = selection.PlaceOf(parsed);
        var filter = selection.FilterOf(parsed, host.Time.GetUtcNow());
        var grouping = groups.Of(parsed);
        if (grouping is not null && listing.IsLimited(parsed))
        {
            throw new UsageException("Found --limit beside --group-by, wanted one of them: a group of some of the messages has a wrong count.");
        }

        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);

        var lot = place.Open(connection, management, host.Time);
        if (grouping is not null)
        {
            await groups.WriteAsync(host, parsed, grouping, place, ListAsync).ConfigureAwait(false);
            return ExitCode.Done;
        }

        var tally = new ParkedTally([]);
        var rows = await listing.ReadAsync(host, parsed, place.Queue, ListAsync, tally.Add).ConfigureAwait(false);
        if (!parsed.GetValue(GlobalOptions.Json))
        {
            WriteTable(host, place, rows, tally, isFiltered: filter != ParkedFilter.All);
        }

        return ExitCode.Done;

        IAsyncEnumerable<ParkedMessage> ListAsync(ReadingProgress progress) =>
            lot.ListAsync(place.Name, listing.Limited(filter, parsed), progress, cancellationToken);
    }

    private static void WriteTable(CliHost host, ParkedPlace place, IReadOnlyList<ParkedMessage> rows, ParkedTally tally, bool isFiltered)
    {
        if (tally.Count == 0)
        {
            host.Out.WriteLine(
                isFiltered ? $"No parked message of '{place.Name}' matches."
                : place.IsErrorQueue ? $"Nothing is in '{place.Name}'."
                : $"Nothing is parked for '{place.Name}'.");
            return;
        }

        MessageListing.Write(host, place.IsErrorQueue ? OfErrorQueue(host) : OfLot(host), rows, tally.Count, tally.Ages(host.Time) is { } ages ? $"{tally}. {ages}" : tally.ToString());
    }

    private static MessageColumn[] OfLot(CliHost host) =>
        [MessageColumn.Id, MessageColumn.Reason, MessageColumn.Age(host.Time, ParkedAt), MessageColumn.Attempts, MessageColumn.Time("PARKED AT", ParkedAt), MessageColumn.Type];

    // the reason is the same for nearly all of them, and stands below the table
    private static MessageColumn[] OfErrorQueue(CliHost host) =>
    [
        MessageColumn.Id,
        MessageColumn.Age(host.Time, ParkedAt),
        MessageColumn.Attempts with { Rank = 3, Cell = static message => message.Attempts == 0 ? "-" : Printable.Count(message.Attempts) },
        MessageColumn.Time("FAILED AT", ParkedAt),
        new("QUEUE", 5, static message => message.WorkQueue),
        host.OutIsTerminal ? MessageColumn.ShortType : MessageColumn.Type,
    ];

    private static DateTimeOffset? ParkedAt(ParkedMessage message) => message.ParkedAt;
}
