using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked replay QUEUE [ID…|--all]</c>: sends parked messages back to work.</summary>
internal static class ParkedReplayCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "replay",
            "Sends parked messages back to work. Their attempts are counted from the start again. Ctrl-C ends it in good order, so no message is lost or sent twice.");
        ReplayDestination? destination = null;
        var plan = new ReplayOptions { DestinationFound = found => destination = found };
        ParkedMove.AddTo(command, host, new ParkedMove.Verb("replay", "Replaying", "Replayed", AsksEvenForIds: false, plan.PlanId, (lot, queue, filter, progress, cancellationToken) => lot.ReplayAsync(queue, filter, plan, progress, cancellationToken))
        {
            Destination = () => destination,
        });
        return command;
    }
}
