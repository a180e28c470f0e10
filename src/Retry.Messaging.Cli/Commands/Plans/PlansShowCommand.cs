using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Plans;

/// <summary><c>plans show PLAN</c>: who made it, what for, and how far it is. Changes nothing.</summary>
internal static class PlansShowCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("show", "Shows a plan: who made it, its set, how often it was begun, and how it ended. Changes nothing.");
        var plan = PlansCommand.Plan();
        command.Arguments.Add(plan);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, parsed.GetValue(plan)!, cancellationToken));
        return command;
    }

    /// <summary>Writes a plan.</summary>
    public static void Write(CliHost host, PlanSummary summary)
    {
        var plan = summary.Plan;
        Line("Plan", plan.Id);
        Line("State", WithNextStep(summary));
        Line("Action", $"{plan.Terms.Action.ToString().ToLowerInvariant()} of '{plan.Queue}'{(plan.Terms.To is { } to ? $" to '{to}'" : "")}");
        Line("Set", $"{Printable.Messages(plan.Count)}: {string.Join(", ", plan.Groups.Select(group => $"{Printable.Count(group.Value)} {group.Key}"))}; {plan.Hash}");
        if (plan.Terms.Changes is { } changes)
        {
            Line("Changes", changes);
        }

        Line("Made by", $"{plan.By}, {Printable.Time(plan.At)}");
        Line("Begun", $"{Printable.Count(plan.Run, "time")}, last by {plan.RunBy}, {Printable.Time(plan.RunAt)}");
        if (plan.Terms.PerSecond is { } rate)
        {
            Line("Rate", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{rate:0.######} messages per second"));
        }

        if (plan.State is not (PlanState.Preparing or PlanState.Running))
        {
            Line("Moved", Printable.Messages(plan.Moved));
        }

        if (plan.MayHaveBeenSent > 0)
        {
            Line("In doubt", $"{Printable.Messages(plan.MayHaveBeenSent)} may have been sent, and stayed parked; later plans leave them out unless --may-have-been-sent is given");
        }

        void Line(string label, string text) => host.Out.WriteLine(Printable.Wrap($"{label,-9} ", Printable.Line(text), host.Width));
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string id, CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var plan = await new PlansReader(connection, host.Time).FindAsync(id, cancellationToken).ConfigureAwait(false);
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, PlanDocument.Of(plan));
        }
        else
        {
            Write(host, plan);
        }

        return ExitCode.Done;
    }

    private static string WithNextStep(PlanSummary summary) => summary.Progress switch
    {
        PlanProgress.CutOff => $"cut off: whoever worked on it is gone. 'retryctl plans resume {summary.Plan.Id}' or 'retryctl plans cancel {summary.Plan.Id}'",
        PlanProgress.Stopped => $"stopped in good order. 'retryctl plans resume {summary.Plan.Id}' or 'retryctl plans cancel {summary.Plan.Id}'",
        _ => PlansListCommand.WordOf(summary.Progress),
    };
}
