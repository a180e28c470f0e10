using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Schedules;

namespace Retry.Messaging.Cli.Commands.Schedule;

/// <summary><c>schedule show NAME</c>: all that is known of what recurs, or of a scheduled message. Changes nothing.</summary>
internal static class ScheduleShowCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("show", "Shows all that is known of a recurrence with its next slots, or, where services write the index, of a scheduled message.");
        var name = new Argument<string>("NAME") { Description = "The name of a recurrence; or the token or message id of a scheduled message.", HelpName = "NAME" };
        command.Arguments.Add(name);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, parsed.GetValue(name)!, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string name, CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var request = new ScheduleRequest { Id = name, Limit = 1 };
        var overview = await new ScheduleReader(connection, host.Time).ReadAsync(request, cancellationToken).ConfigureAwait(false);
        if (overview.Recurrences.FirstOrDefault(one => one.State.Name == name) is { } recurrence)
        {
            var document = RecurrenceDocument.Of(recurrence, overview.At);
            Write(host, parsed, document, Lines(document));
        }
        else if (overview.Next is [var message, ..])
        {
            var document = ScheduledDocument.Of(message);
            Write(host, parsed, document, Lines(document));
        }
        else
        {
            throw overview.IsIndexed
                ? new UsageException($"Found nothing that recurs as '{name}', and no message with that token or id that is still to come. Check the name and the virtual host.")
                : ScheduleCommand.Unknown(name);
        }

        return ExitCode.Done;
    }

    private static void Write(CliHost host, ParseResult parsed, object document, IEnumerable<(string Label, string? Text)> lines)
    {
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, document);
            return;
        }

        foreach (var (label, text) in lines.Where(line => !string.IsNullOrEmpty(line.Text)))
        {
            host.Out.WriteLine(Printable.Wrap($"{label,-14}", Printable.Line(text), host.Width));
        }
    }

    private static IEnumerable<(string Label, string? Text)> Lines(RecurrenceDocument one)
    {
        yield return ("name", one.Name);
        yield return ("description", one.Description);
        yield return ("trouble", one.Trouble);
        yield return ("cron", $"{one.Cron} in {one.TimeZone}");
        yield return ("from", one.First is { } first ? Printable.Time(first) : null);
        yield return ("until", one.Last is { } last ? Printable.Time(last) : null);
        yield return ("missed", one.Missed);
        yield return ("to", $"{one.Exchange}{(string.IsNullOrEmpty(one.RoutingKey) ? string.Empty : $", key {one.RoutingKey}")}, {one.Size} bytes");
        yield return ("defined", $"{Printable.Time(one.DefinedAt)} by {one.DefinedBy}");
        yield return ("state", one.Paused ? "paused" : "recurs");
        yield return ("last set", one.SetAt is { } set ? $"{Printable.Time(set)} by {one.SetBy}" : null);
        yield return ("last slot", one.LastSlot is { } slot ? $"{Printable.Time(slot)}, sent {Printable.Time(one.LastSentAt)}" : "none yet");
        yield return ("out of turn", one.OutOfTurn > 0 ? Printable.Messages(one.OutOfTurn) : null);
        foreach (var next in one.NextSlots)
        {
            yield return (one.Paused ? "would be due" : "due", Printable.Time(next));
        }
    }

    private static IEnumerable<(string Label, string? Text)> Lines(ScheduledDocument one)
    {
        yield return ("due", Printable.Time(one.DueAt));
        yield return ("state", one.Cancelled ? "cancelled" : "waits");
        yield return ("to", one.Exchange);
        yield return ("key", one.RoutingKey);
        yield return ("type", one.MessageType);
        yield return ("message id", one.MessageId);
        yield return ("token", one.Token);
        yield return ("by", one.By);
    }
}
