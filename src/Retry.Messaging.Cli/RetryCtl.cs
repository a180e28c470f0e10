using System.CommandLine;
using System.CommandLine.Help;
using System.Data.Common;
using Retry.Messaging.Cli.Commands.Breakers;
using Retry.Messaging.Cli.Commands.Delayed;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Commands.Lost;
using Retry.Messaging.Cli.Commands.Nodes;
using Retry.Messaging.Cli.Commands.Once;
using Retry.Messaging.Cli.Commands.Parked;
using Retry.Messaging.Cli.Commands.Plans;
using Retry.Messaging.Cli.Commands.Points;
using Retry.Messaging.Cli.Commands.Policies;
using Retry.Messaging.Cli.Commands.Rules;
using Retry.Messaging.Cli.Commands.Schedule;
using Retry.Messaging.Cli.Commands.Scheduler;
using Retry.Messaging.Cli.Commands.Topology;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli;

/// <summary>retryctl as a function, so that a test runs it as a user does.</summary>
internal static class RetryCtl
{
    /// <summary>The command's name, in messages and on the broker's list of connections.</summary>
    public const string Name = "retryctl";

    /// <summary>Runs a command with its output captured, no environment variables and nobody to ask.</summary>
    /// <returns>The exit code.</returns>
    public static Task<int> InvokeAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken = default) =>
        InvokeAsync(args, new CliHost { Out = output, Error = error }, cancellationToken);

    /// <summary>Runs a command.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> InvokeAsync(string[] args, CliHost host, CancellationToken cancellationToken = default)
    {
        var parsed = Root(host).Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction)
        {
            return Fail(host, ExitCode.Usage, $"{ParseErrors.Explain(parsed)} Run '{PathOf(parsed)} --help'.");
        }

        if (ParseErrors.StrayOption(parsed) is { } option)
        {
            return Fail(host, ExitCode.Usage, $"Found '{option}', which is no option of '{PathOf(parsed)}'; a name that begins so stands after '--'. Run '{PathOf(parsed)} --help'.");
        }

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { Output = host.Out, Error = host.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null },
                cancellationToken).ConfigureAwait(false);
        }
        catch (UsageException exception)
        {
            return Fail(host, ExitCode.Usage, $"{exception.Message} Run '{PathOf(parsed)} --help'.");
        }
        catch (ParkingException exception) when (exception.IsUnknownQueue)
        {
            return Fail(host, ExitCode.Usage, exception.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Fail(host, ExitCode.Failed, "Interrupted; nothing was changed.");
        }
        catch (Exception exception) when (exception is ParkingException or LimiterException or ManagementException or BrokerConnectionException
            or ControlException or TopologyException or UnauthorizedAccessException or DbException or IOException || BrokerFailures.IsGoneOrSilent(exception))
        {
            return Fail(host, ExitCode.Failed, exception.Message);
        }
    }

    /// <summary>Says on one line what went wrong.</summary>
    public static int Fail(CliHost host, int exitCode, string message)
    {
        host.Error.WriteLine($"{Name}: {SecretMask.Apply(message.ReplaceLineEndings(" "))}");
        return exitCode;
    }

    /// <summary>Makes the commands, all of them.</summary>
    public static RootCommand Root(CliHost host)
    {
        var topology = new Command("topology", "The exchanges, queues and bindings that retries need.")
        {
            TopologyPlanCommand.Create(host),
            TopologyApplyCommand.Create(host),
            TopologyVerifyCommand.Create(host),
            TopologyExportCommand.Create(host),
            TopologyRemoveCommand.Create(host),
        };
        var parked = new Command("parked", "Messages that were given up; they stay in a parking lot until an operator replays or discards them.")
        {
            ParkedListCommand.Create(host),
            ParkedShowCommand.Create(host),
            ParkedReplayCommand.Create(host),
            ParkedDiscardCommand.Create(host),
            ParkedArchiveCommand.Create(host),
            ParkedRestoreCommand.Create(host),
            ParkedAdoptCommand.Create(host),
            ParkedExportCommand.Create(host),
            ParkedImportCommand.Create(host),
        };
        var lost = new Command("lost", $"Messages whose queue did not exist when they came off the ladder; they wait in the queue {BrokerNames.LostQueue}.")
        {
            LostListCommand.Create(host),
            LostReplayCommand.Create(host),
        };
        var delayed = new Command("delayed", "Messages that wait on the ladder for their next attempt.")
        {
            DelayedListCommand.Create(host),
            DelayedReleaseCommand.Create(host),
        };
        var root = new RootCommand("retryctl: the retry ladder and the parking lots of a RabbitMQ virtual host.\nExit codes: 0 done, 1 failed, 2 wrong usage or a queue that does not exist, 3 something is not as it should be, or could not be checked.")
        {
            PointsCommand.Create(host),
            NodesCommand.Create(host),
            delayed,
            topology,
            parked,
            PlansCommand.Create(host),
            RulesCommand.Create(host),
            lost,
            LimiterCommand.Create(host),
            PolicyCommand.Create(host),
            BreakerCommand.Create(host),
            OnceCommand.Create(host),
            ScheduleCommand.Create(host),
            SchedulerRunCommand.Create(host),
        };
        GlobalOptions.AddTo(root);
        return root;
    }

    private static string PathOf(ParseResult parsed)
    {
        var names = new List<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult)
        {
            names.Insert(0, result.Command is RootCommand ? Name : result.Command.Name);
        }

        return string.Join(' ', names);
    }
}
