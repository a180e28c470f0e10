using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked discard QUEUE [ID…|--all]</c>: deletes parked messages.</summary>
internal static class ParkedDiscardCommand
{
    public static readonly ParkedMove.Verb Verb = new("discard", "Discarding", "Discarded", AsksEvenForIds: true, PlanAction.Discard);

    public static Command Create(CliHost host)
    {
        var command = new Command("discard", "Deletes parked messages for good.");
        ParkedMove.AddTo(command, host, Verb, SelectionOptions.QueueIdsAndConditions(command));
        return command;
    }
}
