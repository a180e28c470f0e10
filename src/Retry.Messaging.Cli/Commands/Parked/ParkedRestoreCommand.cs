using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked restore QUEUE [ID…|--all]</c>: brings archived messages back.</summary>
internal static class ParkedRestoreCommand
{
    public static readonly ParkedMove.Verb Verb = new("restore", "Restoring", "Restored", AsksEvenForIds: false, PlanAction.Restore);

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "restore",
            "Moves archived messages back into their parking lot.");
        ParkedMove.AddTo(command, host, Verb, SelectionOptions.OfPoint(command, isOfArchive: true));
        return command;
    }
}
