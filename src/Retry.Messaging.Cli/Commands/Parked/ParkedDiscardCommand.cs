using System.CommandLine;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked discard QUEUE [ID…|--all]</c>: deletes parked messages.</summary>
internal static class ParkedDiscardCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("discard", "Deletes parked messages for good.");
        ParkedMove.AddTo(
            command,
            host,
            new ParkedMove.Verb("discard", "Discarding", "Discarded", AsksEvenForIds: true, PlanId: null, (lot, queue, filter, progress, cancellationToken) => lot.DiscardAsync(queue, filter, progress, cancellationToken)));
        return command;
    }
}
