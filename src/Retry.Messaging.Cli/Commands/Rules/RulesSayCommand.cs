using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Commands.Policies;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Rules;

namespace Retry.Messaging.Cli.Commands.Rules;

/// <summary><c>rules pause|resume|remove QUEUE NAME</c>: says something about a rule.</summary>
internal static class RulesSayCommand
{
    public static Command Create(CliHost host, string verb, string description, Func<RuleControl, string, string, string?, CancellationToken, Task<Rule?>> say)
    {
        var command = new Command(verb, description);
        var queue = LimiterCommand.Queue();
        var name = RulesCommand.Name();
        command.Arguments.Add(queue);
        command.Arguments.Add(name);
        var why = RulesCommand.Why();
        if (verb != "resume")
        {
            command.Options.Add(why);
        }

        command.SetAction(async (parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            var rule = RulesCommand.NameOf(parsed.GetValue(name));
            var reason = PolicyCommand.WhyOf(parsed, why);
            var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
            await using var ends = connection.ConfigureAwait(false);
            var said = await say(new RuleControl(connection, host.Operator, host.Time), point, rule, reason, cancellationToken).ConfigureAwait(false)
                ?? throw RulesCommand.Unknown(point, rule);
            return await RuleAnswer.WriteAsync(host, parsed, connection, said, cancellationToken).ConfigureAwait(false);
        });
        return command;
    }
}
