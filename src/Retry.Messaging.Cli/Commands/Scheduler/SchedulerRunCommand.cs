using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.RabbitMq.Recurring;
using Retry.Messaging.RabbitMq.Scheduling;

namespace Retry.Messaging.Cli.Commands.Scheduler;

/// <summary><c>scheduler run</c>: a dispatcher of scheduled messages as a process of its own, until it is interrupted.</summary>
internal static class SchedulerRunCommand
{
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(500);

    public static Command Create(CliHost host)
    {
        var run = new Command(
            "run",
            "Takes scheduled messages to where they go when they are due, and sends what recurs, until interrupted. Any number of processes may run one, beside the services, which do so themselves: one is active, the others stand by.");
        run.SetAction((parsed, cancellationToken) =>
        {
            var address = GlobalOptions.RequireAddress(parsed, host);
            var recurring = new RecurrenceRunner(host.Operator, host.Time, Random.Shared, NullLogger.Instance);
            var options = new ScheduleDispatcherOptions
            {
                ConnectAsync = (prepare, cancellation) => address.ConnectAsync($"{RetryCtl.Name} scheduler", prepare, cancellation),
                BesideAsync = recurring.RunAsync,
            };
            return RunAsync(host, new ScheduleDispatcher(options, host.Time, Random.Shared, NullLogger.Instance), cancellationToken);
        });
        return new Command("scheduler", "The dispatcher of scheduled messages and of what recurs.") { run };
    }

    private static async Task<int> RunAsync(CliHost host, ScheduleDispatcher dispatcher, CancellationToken cancellationToken)
    {
        var run = dispatcher.RunAsync(cancellationToken);
        string? told = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            var status = dispatcher.Status;
            var line = $"scheduler: {status.Activity}{(status.Reason is null ? string.Empty : $" ({status.Reason})")}";
            if (line != told)
            {
                told = line;
                await host.Error.WriteLineAsync(line).ConfigureAwait(false);
            }

            await Task.Delay(LookPause, host.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await run.ConfigureAwait(false);
        return ExitCode.Done;
    }
}
