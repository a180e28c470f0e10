using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Rules;

namespace Retry.Messaging.Cli.Commands.Rules;

/// <summary><c>rules show QUEUE NAME</c>: a rule, who set it and why, and its last runs. Changes nothing.</summary>
internal static class RulesShowCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("show", "Shows a rule: when it replays which messages, who set it and why, whether it rests, and its last ten runs with their plans. Changes nothing.");
        var queue = LimiterCommand.Queue();
        var name = RulesCommand.Name();
        command.Arguments.Add(queue);
        command.Arguments.Add(name);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            var rule = RulesCommand.NameOf(parsed.GetValue(name));
            var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
            await using var ends = connection.ConfigureAwait(false);
            var report = await new RuleReader(connection, host.Time).FindAsync(point, rule, cancellationToken).ConfigureAwait(false)
                ?? throw RulesCommand.Unknown(point, rule);
            return RuleAnswer.Write(host, parsed, report);
        });
        return command;
    }
}
