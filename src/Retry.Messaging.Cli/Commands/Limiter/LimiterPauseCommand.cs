using System.CommandLine;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.Cli.Commands.Limiter;

/// <summary><c>limiter pause QUEUE</c>.</summary>
internal static class LimiterPauseCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("pause", "Stops the redeliveries of a point until 'resume'; new messages are not affected.");
        var queue = LimiterCommand.Queue();
        command.Arguments.Add(queue);
        command.SetAction((parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            return LimiterSettingAnswer.RunAsync(
                host,
                parsed,
                point,
                control => control.PauseAsync(point, host.Operator, cancellationToken),
                cancellationToken);
        });
        return command;
    }
}
