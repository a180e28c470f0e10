using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Plans;

/// <summary><c>plans</c>: what was begun with parked messages, and what was left unfinished.</summary>
internal static class PlansCommand
{
    public static Command Create(CliHost host) => new("plans", "Replays and discards that were begun. One that was left unfinished keeps others from its parking lot until it is resumed or cancelled, on any machine.")
    {
        PlansListCommand.Create(host),
        PlansShowCommand.Create(host),
        PlansResumeCommand.Create(host),
        PlansCancelCommand.Create(host),
    };

    public static Argument<string> Plan() => new("PLAN") { Description = "The plan's id, or its beginning, as 'plans list' shows it.", HelpName = "PLAN" };

    /// <summary>Where the messages of a plan are.</summary>
    public static ParkedPlace PlaceOf(Plan plan) => plan.Terms.ErrorQueue is { } errorQueue
        ? new ParkedPlace(errorQueue, IsErrorQueue: true)
        : new ParkedPlace(plan.Queue, IsErrorQueue: false, plan.Terms.IsOfArchive);
}
