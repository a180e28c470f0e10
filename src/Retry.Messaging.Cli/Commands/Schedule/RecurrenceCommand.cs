using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Schedules;
using Retry.Messaging.RabbitMq.Recurring;

namespace Retry.Messaging.Cli.Commands.Schedule;

/// <summary><c>schedule pause|resume|now NAME</c>: says something about a recurrence.</summary>
internal static class RecurrenceCommand
{
    public static Command Create(CliHost host, string verb, string description, string done, Func<RecurrenceWriter, string, CancellationToken, Task> say)
    {
        var command = new Command(verb, description);
        var name = ScheduleCommand.Name();
        command.Arguments.Add(name);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, parsed.GetValue(name)!, done, say, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        string name,
        string done,
        Func<RecurrenceWriter, string, CancellationToken, Task> say,
        CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        RecurrenceSummary? recurrence;
        try
        {
            recurrence = await new RecurrenceControl(connection, host.Operator, host.Time)
                .SayAsync(name, writer => say(writer, name, cancellationToken), cancellationToken)
                .ConfigureAwait(false) ?? throw ScheduleCommand.Unknown(name);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return RetryCtl.Fail(host, ExitCode.Failed, $"Interrupted. It may have been written by then. Run 'retryctl schedule show {name}' to see it.");
        }

        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, RecurrenceDocument.Of(recurrence, host.Time.GetUtcNow()));
        }
        else
        {
            var next = recurrence.Next is { } slot ? $"; next {Printable.Time(slot)}" : string.Empty;
            host.Out.WriteLine(Printable.Wrap($"{Printable.Line(name)}: ", $"{done}{next}.", host.Width));
        }

        return ExitCode.Done;
    }
}
