using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Plans;

/// <summary><c>plans cancel PLAN</c>: gives up the rest of a plan.</summary>
internal static class PlansCancelCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "cancel",
            "Gives up the rest of a plan that was left unfinished; it stays parked. Messages that may have been sent are named, and later plans leave them out. Where somebody still works on the plan, it waits.");
        var plan = PlansCommand.Plan();
        command.Arguments.Add(plan);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, parsed.GetValue(plan)!, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string id, CancellationToken cancellationToken)
    {
        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var plan = (await new PlansReader(connection, host.Time).FindAsync(id, cancellationToken).ConfigureAwait(false)).Plan;
        if (plan.IsOver)
        {
            return RetryCtl.Fail(host, ExitCode.Failed, $"Plan {plan.Id} is {(plan.State == PlanState.Done ? "done" : "cancelled")} already, so nothing was changed.");
        }

        var order = new PlanOrder(plan.Id, plan.Terms)
        {
            By = host.Operator,
            Resumes = true,
            Waits = whom => host.Error.WriteLine($"{RetryCtl.Name}: note: {Printable.Line(whom)}"),
        };
        await new PlanHandover(connection, host.Time).AskForAsync(plan, host.Operator, cancellationToken).ConfigureAwait(false);
        var (ended, doubtful) = (plan, (IReadOnlyList<ParkedMessage>)[]);
        await ProgressDisplay.RunAsync(host, $"Reading {PlansCommand.PlaceOf(plan).Queue}", async report =>
            (ended, doubtful) = await CancelAsync(new ReadingProgress(report)).ConfigureAwait(false)).ConfigureAwait(false);
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, PlanDocument.Of(new PlanSummary(ended, PlanProgress.Cancelled)) with { Doubtful = [.. doubtful.Select(message => message.Id)] });
            return ExitCode.Done;
        }

        host.Out.WriteLine($"Cancelled plan {ended.Id}: {Printable.Messages(ended.Moved)} of {Printable.Count(ended.Count)} were moved, {Printable.Count(ended.Count - ended.Moved)} are still parked.");
        if (doubtful.Count > 0)
        {
            host.Out.WriteLine($"{Printable.Messages(doubtful.Count)} of those may have been sent; later plans leave {(doubtful.Count == 1 ? "it" : "them")} out unless --may-have-been-sent is given:");
            foreach (var message in doubtful)
            {
                host.Out.WriteLine(Printable.Line(message.Id));
            }
        }

        return ExitCode.Done;

        Task<(Plan Plan, IReadOnlyList<ParkedMessage> MayHaveBeenSent)> CancelAsync(ReadingProgress progress) => plan.Terms.ErrorQueue is null
            ? new ParkingLot(connection, host.Time).CancelAsync(plan, order, progress, cancellationToken)
            : new ErrorQueues(connection, host.Time, management).CancelAsync(plan, order, progress, cancellationToken);
    }
}
