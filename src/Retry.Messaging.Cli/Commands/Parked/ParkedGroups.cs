using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>--group-by</c> of <c>parked list</c>: counts instead of messages.</summary>
internal sealed class ParkedGroups
{
    private const int NarrowestName = 24;

    private readonly Option<string?> _by = new("--group-by")
    {
        Description = $"Show counts by KEY instead of messages: {string.Join(", ", ParkedGrouping.Keys)}. A fingerprint is the last error without quoted words, addresses, and words with digits, and the first place in your code in its stack trace. Not with --limit.",
        HelpName = "KEY",
    };

    public ParkedGroups(Command command)
    {
        _by.CompletionSources.Add([.. ParkedGrouping.Keys]);
        command.Options.Add(_by);
    }

    /// <summary>The grouping that was asked for; <see langword="null"/> for none.</summary>
    /// <exception cref="UsageException">There is none of that name.</exception>
    public ParkedGrouping? Of(ParseResult parsed) => parsed.GetValue(_by) is not { } key
        ? null
        : ParkedGrouping.By(key) ?? throw new UsageException($"--group-by: found '{key}', wanted one of {string.Join(", ", ParkedGrouping.Keys)}.");

    /// <summary>Reads all messages, and writes the groups.</summary>
    public async Task WriteAsync(
        CliHost host,
        ParseResult parsed,
        ParkedGrouping grouping,
        ParkedPlace place,
        Func<ReadingProgress, IAsyncEnumerable<ParkedMessage>> read)
    {
        await ProgressDisplay.RunAsync(host, $"Reading {place.Queue}", async report =>
        {
            await foreach (var message in read(new ReadingProgress(report)).ConfigureAwait(false))
            {
                grouping.Add(message);
            }
        }).ConfigureAwait(false);

        if (grouping.Groups is [{ Name.Length: 0 }])
        {
            host.Error.WriteLine($"{RetryCtl.Name}: warning: no message tells what --group-by asks for. Names of headers are case-sensitive.");
        }

        if (parsed.GetValue(GlobalOptions.Json))
        {
            foreach (var group in grouping.Groups)
            {
                JsonOutput.WriteLine(host.Out, ParkedGroupDocument.Of(group, place));
            }

            return;
        }

        if (grouping.Groups.Count == 0)
        {
            host.Out.WriteLine($"No parked message of '{place.Name}' matches.");
            return;
        }

        // what comes back into an error queue does not say so
        var table = Tables.Create(host, place.IsErrorQueue ? ["COUNT", "FIRST", "LAST", "ID"] : ["COUNT", "CAME BACK", "FIRST", "LAST", "ID"], ["GROUP"]);
        foreach (var group in grouping.Groups)
        {
            Tables.AddRow(
                table,
                [
                    Printable.Count(group.Count),
                    .. place.IsErrorQueue ? (string[])[] : [Printable.Count(group.CameBack)],
                    AgeOf(host, group.First),
                    AgeOf(host, group.Last),
                    group.Id,
                    group.Name.Length == 0 ? "(none)" : group.Name,
                ]);
        }

        Tables.Write(host, table, NarrowestName);
        var largest = grouping.Groups[0];
        host.Out.WriteLine();
        Line($"{Printable.Messages(grouping.Total.Count)} in {Printable.Count(grouping.Groups.Count, "group")}; FIRST and LAST tell how long ago they were parked.");
        // in one piece, so that it can be copied
        host.Out.WriteLine($"One of the largest group: retryctl parked show {Printable.Line(place.Typed)} {Printable.Line(largest.Example)}");
        Line($"All of that group: --group {Printable.Line(parsed.GetValue(_by))}={largest.Id} with list, or with what moves them, such as replay");

        void Line(string text) => host.Out.WriteLine(Printable.Wrap(string.Empty, text, host.Width));
    }

    private static string AgeOf(CliHost host, DateTimeOffset? at) => at is { } time ? Printable.Age(host.Time.GetUtcNow() - time) : "-";
}
