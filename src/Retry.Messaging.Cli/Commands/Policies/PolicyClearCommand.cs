using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary><c>policy clear QUEUE</c>: the service's own settings hold again.</summary>
internal static class PolicyClearCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("clear", "Takes back what operators have set for a point, its limit included: the service's own settings hold again.");
        var queue = LimiterCommand.Queue();
        var why = PolicyCommand.Why();
        command.Arguments.Add(queue);
        command.Options.Add(why);
        command.SetAction((parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            var reason = PolicyCommand.WhyOf(parsed, why);
            var by = host.Operator;
            return PolicyCommand.RunAsync(
                host,
                parsed,
                point,
                async (policies, limiters, limiter) =>
                {
                    if (limiter.Setting is { PerSecond: not null } or { Burst: not null })
                    {
                        await limiters.ClearAsync(point, by, cancellationToken).ConfigureAwait(false);
                    }

                    var document = await policies.ClearAsync(point, by, reason, cancellationToken).ConfigureAwait(false);
                    return PolicyAnswer.Write(host, parsed, await policies.AppliedAsync(point, document.Version, cancellationToken).ConfigureAwait(false));
                },
                cancellationToken);
        });
        return command;
    }
}
