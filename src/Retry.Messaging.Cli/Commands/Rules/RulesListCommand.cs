using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Rules;

namespace Retry.Messaging.Cli.Commands.Rules;

/// <summary><c>rules list [QUEUE]</c>: the rules of the virtual host. Changes nothing.</summary>
internal static class RulesListCommand
{
    private const int NarrowestText = 12;

    public static Command Create(CliHost host)
    {
        var command = new Command("list", "Lists the rules, whether they rest, and when they last replayed. Changes nothing.");
        var queue = new Argument<string?>("QUEUE") { Description = "Only the rules of this work queue.", HelpName = "QUEUE", Arity = ArgumentArity.ZeroOrOne };
        command.Arguments.Add(queue);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var point = parsed.GetValue(queue) is { } text ? LimiterCommand.QueueOf(text) : null;
            var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
            await using var ends = connection.ConfigureAwait(false);
            return Write(host, parsed.GetValue(GlobalOptions.Json), await new RuleReader(connection, host.Time).ReadAsync(point, cancellationToken).ConfigureAwait(false));
        });
        return command;
    }

    private static int Write(CliHost host, bool json, IReadOnlyList<RuleReport> reports)
    {
        if (json)
        {
            foreach (var report in reports)
            {
                JsonOutput.WriteLine(host.Out, RuleDocument.Of(report));
            }
        }
        else if (reports.Count == 0)
        {
            host.Out.WriteLine("No rules. 'retryctl rules set' makes them.");
        }
        else
        {
            WriteTable(host, reports);
        }

        if (!json)
        {
            foreach (var group in reports.Where(report => report.Trouble is not null).GroupBy(report => report.Trouble!))
            {
                host.Error.WriteLine($"{RetryCtl.Name}: {string.Join(", ", group.Select(report => Printable.Line(report.Entry.Name)))}: {Printable.Line(group.Key)}");
            }
        }

        return reports.Any(report => report.Trouble is not null) ? ExitCode.Finding : ExitCode.Done;
    }

    private static void WriteTable(CliHost host, IReadOnlyList<RuleReport> reports)
    {
        var table = Tables.Create(host, ["STATE", "LAST RUN"], ["RULE", "QUEUE", "WHEN"]);
        foreach (var report in reports)
        {
            var last = report.Entry.Rule?.Runs is [var run, ..] ? $"{RuleAnswer.WordOf(run.State)}, {Printable.Age(host.Time.GetUtcNow() - run.At)}" : "-";
            Tables.AddRow(table, RuleAnswer.StateOf(report.Entry), last, report.Entry.Name, report.Entry.Point, report.Entry.Rule?.Trigger.Words ?? "-");
        }

        Tables.Write(host, table, NarrowestText);
    }
}
