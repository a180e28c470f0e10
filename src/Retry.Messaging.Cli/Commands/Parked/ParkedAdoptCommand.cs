using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary><c>parked adopt ERROR-QUEUE</c>: moves messages of another library's error queue into a parking lot.</summary>
internal static class ParkedAdoptCommand
{
    public static readonly ParkedMove.Verb Verb = new("adopt", "Adopting", "Adopted", AsksEvenForIds: false, PlanAction.Adopt);

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "adopt",
            "Moves messages of MassTransit's own error queue, or of any dead-letter queue, into the parking lot of a point. They keep body, headers, and the id that 'parked list --queue' shows; error and attempts are taken from MT-Fault-* or x-death.");
        ParkedMove.AddTo(command, host, Verb, SelectionOptions.OfErrorQueue(command));
        return command;
    }
}
