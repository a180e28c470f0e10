using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked replay QUEUE [ID…|--all]</c>: sends parked messages back to work.</summary>
internal static class ParkedReplayCommand
{
    public static readonly ParkedMove.Verb Verb = new("replay", "Replaying", "Replayed", AsksEvenForIds: false, PlanAction.Replay);

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "replay",
            "Sends parked messages back to work. Their attempts are counted from the start again. Ctrl-C ends it in good order, so no message is lost or sent twice; 'plans resume' goes on.");
        ParkedMove.AddTo(command, host, Verb, SelectionOptions.QueueIdsAndConditions(command));
        return command;
    }
}
