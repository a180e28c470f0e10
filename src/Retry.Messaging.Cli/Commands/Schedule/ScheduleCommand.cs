using System.CommandLine;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.Cli.Commands.Schedule;

/// <summary><c>schedule</c>: messages that wait until they are due.</summary>
internal static class ScheduleCommand
{
    public static Command Create(CliHost host) => new("schedule", "Messages that were scheduled for later, and what recurs, by services with AddGradientScheduler.")
    {
        ScheduleListCommand.Create(host),
        ScheduleShowCommand.Create(host),
        ScheduleCancelCommand.Create(host),
        RecurrenceCommand.Create(
            host,
            "pause",
            "Has a recurrence rest until 'resume'. Slots in between are never sent.",
            "It rests until 'retryctl schedule resume'",
            (writer, name, cancellationToken) => writer.PauseAsync(name, cancellationToken)),
        RecurrenceCommand.Create(
            host,
            "resume",
            "Ends the pause of a recurrence; it goes on with its next slot.",
            "It recurs",
            (writer, name, cancellationToken) => writer.ResumeAsync(name, cancellationToken)),
        RecurrenceCommand.Create(
            host,
            "now",
            "Has one message of a recurrence sent at once, also in a pause. Its slots stay as they are.",
            "One message more is sent",
            (writer, name, cancellationToken) => writer.RunNowAsync(name, cancellationToken)),
    };

    public static Argument<string> Name() => new("NAME") { Description = "The recurrence, as 'schedule list' names it: its id, or group/id.", HelpName = "NAME" };

    /// <summary>Tells that nothing recurs by a name.</summary>
    public static UsageException Unknown(string name) =>
        new($"Found nothing that recurs as '{name}', wanted one of the names in 'retryctl schedule list'. Check the name and the virtual host.");
}
