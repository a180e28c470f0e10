using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Cli.Commands.Schedule;

/// <summary><c>schedule cancel TOKEN</c>: a scheduled message is not delivered.</summary>
internal static class ScheduleCancelCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "cancel",
            "Cancels a scheduled message. What is cancelled a second or more before it is due is not delivered.");
        var token = new Argument<string>("TOKEN")
        {
            Description = "The TokenId that ScheduleSend returned; on the message it is the header MT-Scheduling-TokenId.",
            HelpName = "TOKEN",
        };
        command.Arguments.Add(token);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, TokenOf(parsed.GetValue(token)), cancellationToken));
        return command;
    }

    private static Guid TokenOf(string? text) => Guid.TryParse(text, out var token) && token != Guid.Empty
        ? token
        : throw new UsageException($"TOKEN: found '{Printable.Line(text)}', wanted a UUID as ScheduleSend returns it, for example {ScheduleToken.Create(DateTimeOffset.UnixEpoch)}.");

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, Guid token, CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        CancelResult result;
        try
        {
            result = await new CancellationControl(connection, host.Time).CancelAsync(token, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return RetryCtl.Fail(host, ExitCode.Failed, "Interrupted. It may have been cancelled by then; the same command tells.");
        }

        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, ScheduleCancelDocument.Of(token, result));
        }
        else
        {
            host.Out.WriteLine(Printable.Wrap($"{token}: ", Describe(result, ScheduleToken.DueOf(token), host.Time.GetUtcNow()), host.Width));
        }

        return ExitCode.Done;
    }

    private static string Describe(CancelResult result, DateTimeOffset? due, DateTimeOffset now) => result switch
    {
        CancelResult.Cancelled => $"cancelled. It would be due in {Printable.Age(due!.Value - now)}, at {Printable.Time(due)}.",
        CancelResult.CancelledBefore => $"was cancelled before; nothing was changed. Due {Printable.Time(due)}.",
        CancelResult.TooLate => $"was due {Printable.Age(now - due!.Value)} ago, at {Printable.Time(due)}, and was probably delivered. Where it still waits, for example for a queue that refuses it, it is cancelled now.",
        _ => "is no token of this scheduler's own, so nobody can tell whether a message waits with it. What was scheduled with it until now is cancelled.",
    };
}
