using System.CommandLine;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.Cli.Commands.Limiter;

/// <summary><c>limiter resume QUEUE</c>.</summary>
internal static class LimiterResumeCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("resume", "Ends a pause.");
        var queue = LimiterCommand.Queue();
        command.Arguments.Add(queue);
        command.SetAction((parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            return LimiterSettingAnswer.RunAsync(
                host,
                parsed,
                point,
                control => control.ResumeAsync(point, host.Operator, cancellationToken),
                cancellationToken);
        });
        return command;
    }
}
