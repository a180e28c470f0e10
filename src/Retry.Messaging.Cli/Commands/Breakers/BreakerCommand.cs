using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Commands.Policies;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Circuits;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Limiter;

namespace Retry.Messaging.Cli.Commands.Breakers;

/// <summary><c>breaker</c>: the circuit between a point and what it calls.</summary>
internal static class BreakerCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("breaker", "The circuit between a point and what it calls. While it is open, messages wait and one is tried in each interval. A point has one where its service says Breaker(), or with 'policy set --breaker true'.")
        {
            Set(host, "open", CircuitHand.Open, "Opens the circuit of a point until 'breaker auto': messages wait, and none is tried."),
            Set(host, "close", CircuitHand.Closed, "Closes the circuit of a point until 'breaker auto': messages are consumed, whatever comes of it."),
            Set(host, "auto", CircuitHand.Auto, "Leaves the circuit of a point to the outcomes again. One that is open is tried at once, and closes step by step."),
        };
        command.Subcommands.Insert(0, Status(host));
        return command;
    }

    private static Command Status(CliHost host)
    {
        var command = new Command("status", "Shows the circuit of a point: what it lets through, since when and why, how many instances obey it, and which of them are ill. Changes nothing.");
        var queue = LimiterCommand.Queue();
        command.Arguments.Add(queue);
        command.SetAction((parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            return RunAsync(host, parsed, point, circuits => circuits.ReadAsync(point, cancellationToken), cancellationToken);
        });
        return command;
    }

    private static Command Set(CliHost host, string name, CircuitHand hand, string description)
    {
        var command = new Command(name, description);
        var queue = LimiterCommand.Queue();
        var why = PolicyCommand.Why();
        command.Arguments.Add(queue);
        command.Options.Add(why);
        command.SetAction((parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            var reason = PolicyCommand.WhyOf(parsed, why);
            return RunAsync(
                host,
                parsed,
                point,
                async circuits =>
                {
                    await circuits.SetAsync(point, hand, host.Operator, reason, cancellationToken).ConfigureAwait(false);
                    return await circuits.ReadAsync(point, cancellationToken).ConfigureAwait(false);
                },
                cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        string point,
        Func<CircuitControl, Task<CircuitReport>> run,
        CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);

        // a queue that does not exist is said before anything is written
        await LimiterCommand.ReadAsync(new LimiterControl(connection, host.Time), point, cancellationToken).ConfigureAwait(false);
        return BreakerAnswer.Write(host, parsed, await run(new CircuitControl(connection, host.Time)).ConfigureAwait(false));
    }
}
