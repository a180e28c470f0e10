using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary><c>policy show QUEUE</c>: each setting, and where it comes from. Changes nothing.</summary>
internal static class PolicyShowCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "show",
            "Shows for each setting of a point its value and FROM where it comes: 'operator', the layers of the service's own settings, or 'default'; what operators have set, when, and why; and which instances do not apply it: the exit code is then 3. Settings for exceptions and for single types of message stay the code's and are not shown.");
        var queue = LimiterCommand.Queue();
        command.Arguments.Add(queue);
        command.SetAction((parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            return PolicyCommand.RunAsync(
                host,
                parsed,
                point,
                async (policies, _, _) => PolicyAnswer.Write(host, parsed, await policies.ReadAsync(point, cancellationToken).ConfigureAwait(false)),
                cancellationToken);
        });
        return command;
    }
}
