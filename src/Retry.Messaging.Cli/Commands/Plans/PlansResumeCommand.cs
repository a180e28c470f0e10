using System.CommandLine;
using Retry.Messaging.Cli.Commands.Parked;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Plans;

/// <summary><c>plans resume PLAN</c>: goes on with a plan that was left unfinished.</summary>
internal static class PlansResumeCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "resume",
            "Goes on with a plan that was left unfinished: with its set, and nothing that was parked since. Copies that may be there twice carry the header retry-repeated. Where somebody still works on the plan, it waits.");
        var plan = PlansCommand.Plan();
        var rate = MoveOptions.Rate();
        command.Arguments.Add(plan);
        command.Options.Add(rate);
        var detach = MoveOptions.Detach();
        command.Options.Add(detach);
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(host, parsed, parsed.GetValue(plan)!, MoveOptions.RateOf(parsed.GetValue(rate)), parsed.GetValue(detach), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string id, double? perSecond, bool detach, CancellationToken cancellationToken)
    {
        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var plan = (await new PlansReader(connection, host.Time).FindAsync(id, cancellationToken).ConfigureAwait(false)).Plan;
        if (plan.IsOver)
        {
            return RetryCtl.Fail(host, ExitCode.Failed, $"Plan {plan.Id} is {(plan.State == PlanState.Done ? "done" : "cancelled")} already, so there is nothing to go on with.");
        }

        var place = PlansCommand.PlaceOf(plan);
        var lot = place.Open(connection, management, host.Time);
        var answer = new ParkedMoveAnswer(host, VerbOf(plan.Terms.Action), place, parsed.GetValue(GlobalOptions.Json));
        var order = new PlanOrder(plan.Id, plan.Terms with { PerSecond = perSecond })
        {
            By = host.Operator,
            Resumes = true,
            StaysOpen = true,
            Waits = answer.Waits,
            Begins = answer.Begins,
        };
        if (detach)
        {
            var left = lot is ParkingLot open
                ? await open.DetachAsync(plan, order, cancellationToken).ConfigureAwait(false)
                : throw new UsageException($"--detach: plan {plan.Id} adopts from '{place.Name}', wanted a replay, discard, archive or restore.");
            return await DetachedPlan.SayAsync(host, connection, left, plan.Queue, answer.IsJson, cancellationToken).ConfigureAwait(false);
        }

        await new PlanHandover(connection, host.Time).AskForAsync(plan, host.Operator, cancellationToken).ConfigureAwait(false);
        return await answer.MoveAsync(
            lot,
            new ParkedTally([]),
            progress => lot is ParkingLot parking
                ? parking.ResumeAsync(plan, order, answer.GoesTo, progress, cancellationToken)
                : ((ErrorQueues)lot).AdoptAsync(place.Name, plan.Queue, ParkedFilter.All, order, progress, cancellationToken),
            shown: null,
            cancellationToken).ConfigureAwait(false);
    }

    private static ParkedMove.Verb VerbOf(PlanAction action) => action switch
    {
        PlanAction.Discard => ParkedDiscardCommand.Verb,
        PlanAction.Archive => ParkedArchiveCommand.Verb,
        PlanAction.Restore => ParkedRestoreCommand.Verb,
        PlanAction.Adopt => ParkedAdoptCommand.Verb,
        _ => ParkedReplayCommand.Verb,
    };
}
