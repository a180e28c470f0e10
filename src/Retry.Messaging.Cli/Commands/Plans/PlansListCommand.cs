using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Plans;

/// <summary><c>plans list</c>: the plans that are open, and the last that ended. Changes nothing.</summary>
internal static class PlansListCommand
{
    private const int NarrowestName = 12;

    public static Command Create(CliHost host)
    {
        var command = new Command("list", "Lists the plans that are open, and of those that ended the last ten of each queue, for 30 days. Changes nothing.");
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, cancellationToken));
        return command;
    }

    /// <summary>What becomes of a plan, in a word or two.</summary>
    public static string WordOf(PlanProgress progress) => progress == PlanProgress.CutOff ? "CUT OFF" : progress.ToString().ToLowerInvariant();

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var plans = await new PlansReader(connection, host.Time).ReadAsync(cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(GlobalOptions.Json))
        {
            foreach (var plan in plans)
            {
                JsonOutput.WriteLine(host.Out, PlanDocument.Of(plan));
            }
        }
        else if (plans.Count == 0)
        {
            host.Out.WriteLine("No plans. 'retryctl parked replay' and 'retryctl parked discard' make them.");
        }
        else
        {
            WriteTable(host, plans);
        }

        return plans.Any(plan => plan.Progress == PlanProgress.CutOff) ? ExitCode.Finding : ExitCode.Done;
    }

    private static void WriteTable(CliHost host, IReadOnlyList<PlanSummary> plans)
    {
        var table = Tables.Create(host, ["PLAN", "STATE", "AGE", "ACTION", "MESSAGES"], ["QUEUE"]);
        foreach (var summary in plans)
        {
            var plan = summary.Plan;
            Tables.AddRow(
                table,
                plan.Id,
                WordOf(summary.Progress),
                Printable.Age(host.Time.GetUtcNow() - plan.RunAt),
                plan.Terms.Action.ToString().ToLowerInvariant(),
                Printable.Count(plan.Count),
                plan.Queue);
        }

        Tables.Write(host, table, NarrowestName);
        if (plans.FirstOrDefault(plan => plan.Progress is PlanProgress.CutOff or PlanProgress.Stopped) is { Plan: { } open })
        {
            host.Out.WriteLine();
            host.Out.WriteLine(Printable.Wrap(string.Empty, $"'retryctl plans resume {Printable.Line(open.Id)}' goes on, 'retryctl plans cancel {Printable.Line(open.Id)}' gives the rest up; until then nothing else is moved out of that parking lot.", host.Width));
        }
    }
}
