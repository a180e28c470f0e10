using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Schedules;

namespace Retry.Messaging.Cli.Commands.Schedule;

/// <summary><c>schedule list</c>: what recurs and what is scheduled. Changes nothing.</summary>
internal static class ScheduleListCommand
{
    private const int NarrowestName = 14;
    private const string NoToken = "In brackets: the id of a message that has no token, a redelivery for example. It cannot be cancelled.";
    private const string NoIndex = "What is scheduled once is not listed: no service of this virtual host writes the index. Messages on the ladder cannot be looked at, so it is written when they are scheduled; 'ListScheduled' of AddGradientScheduler has it written, from then on.";

    public static Command Create(CliHost host)
    {
        var command = new Command("list", "Shows what recurs, and, where services write the index, what is scheduled once: when, for whom and by whom.");
        var limit = new Option<int>("--limit") { Description = "How many scheduled messages are shown, the next first. All are counted.", HelpName = "COUNT", DefaultValueFactory = static _ => 20 };
        limit.Validators.Add(static result =>
        {
            if (result.Tokens is [var token] && (!int.TryParse(token.Value, out var count) || count < 0))
            {
                result.AddError($"--limit: found '{token.Value}', wanted a number of messages.");
            }
        });
        var to = new Option<string?>("--to") { Description = "Only what goes to this exchange; for a queue, its name.", HelpName = "EXCHANGE" };
        var hours = new Option<bool>("--by-hour") { Description = "How many scheduled messages are due in each hour, instead of the messages." };
        command.Options.Add(limit);
        command.Options.Add(to);
        command.Options.Add(hours);
        command.SetAction((parsed, cancellationToken) =>
        {
            var request = new ScheduleRequest { Limit = parsed.GetValue(limit), To = parsed.GetValue(to) };
            return RunAsync(host, parsed, request, parsed.GetValue(hours), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, ScheduleRequest request, bool byHour, CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var overview = await new ScheduleReader(connection, host.Time).ReadAsync(request, cancellationToken).ConfigureAwait(false);
        if (request.To is { } to)
        {
            overview = overview with { Recurrences = [.. overview.Recurrences.Where(one => one.State.Definition?.Message?.Kept.Exchange == to)] };
        }

        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, ScheduleListDocument.Of(overview));
            return ExitCode.Done;
        }

        WriteRecurrences(host, overview);
        if (!overview.IsIndexed)
        {
            host.Out.WriteLine(Printable.Wrap(string.Empty, NoIndex, host.Width));
        }
        else if (byHour)
        {
            WriteHours(host, overview);
        }
        else
        {
            WriteScheduled(host, overview);
        }

        return ExitCode.Done;
    }

    private static void WriteRecurrences(CliHost host, ScheduleOverview overview)
    {
        if (overview.Recurrences.Count == 0)
        {
            host.Out.WriteLine("Nothing recurs.");
            return;
        }

        var table = Tables.Create(host, ["NEXT", "CRON"], ["NAME", "TO"]);
        foreach (var one in overview.Recurrences)
        {
            Tables.AddRow(
                table,
                one.State.WhyUnreadable is not null ? "UNREADABLE" : one.State.Setting.Paused ? "paused" : one.Next is { } next ? Printable.Time(next) : "at its end",
                one.State.Definition?.Cron ?? "-",
                one.State.Name,
                one.State.Definition?.Message?.Kept.Exchange ?? "-");
        }

        Tables.Write(host, table, NarrowestName);
    }

    private static void WriteScheduled(CliHost host, ScheduleOverview overview)
    {
        if (overview.Next.Count > 0)
        {
            var table = Tables.Create(host, ["DUE", "TOKEN"], ["TO, TYPE"]);
            foreach (var one in overview.Next.Select(ScheduledDocument.Of))
            {
                Tables.AddRow(table, Printable.Time(one.DueAt), one.Token ?? $"({one.MessageId})", one.MessageType is { } type ? $"{one.Exchange}, {type}" : one.Exchange);
            }

            Tables.Write(host, table, NarrowestName);
            if (overview.Next.Any(one => one.Notice.Token is null))
            {
                host.Out.WriteLine(Printable.Wrap(string.Empty, NoToken, host.Width));
            }
        }

        host.Out.WriteLine(Counted(overview));
    }

    private static string Counted(ScheduleOverview overview) =>
        $"{Printable.Messages(overview.Waiting)} scheduled once, by the index{(overview.Cancelled > 0 ? $"; {Printable.Count(overview.Cancelled)} more cancelled" : string.Empty)}.";

    private static void WriteHours(CliHost host, ScheduleOverview overview)
    {
        var table = Tables.Create(host, ["HOUR FROM", "MESSAGES"], []);
        foreach (var (hour, count) in overview.ByHour)
        {
            Tables.AddRow(table, Printable.Time(hour), Printable.Count(count));
        }

        Tables.Write(host, table, NarrowestName);
        host.Out.WriteLine(Counted(overview));
    }
}
