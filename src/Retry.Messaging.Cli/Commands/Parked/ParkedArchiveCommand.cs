using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked archive QUEUE [ID…|--all]</c>: moves parked messages out of the way.</summary>
internal static class ParkedArchiveCommand
{
    public static readonly ParkedMove.Verb Verb = new("archive", "Archiving", "Archived", AsksEvenForIds: false, PlanAction.Archive);

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "archive",
            "Moves parked messages out of the way, into the queue QUEUE.archived, where they stay for 30 days: 'parked list --archived' shows them, 'parked restore' brings them back.");
        ParkedMove.AddTo(command, host, Verb, SelectionOptions.OfPoint(command, isOfArchive: false));
        return command;
    }
}
