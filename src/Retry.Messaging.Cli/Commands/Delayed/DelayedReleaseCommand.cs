using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Delayed;

namespace Retry.Messaging.Cli.Commands.Delayed;

/// <summary><c>delayed release POINT</c>: what waits of a point goes when it comes by, before it is due.</summary>
internal static class DelayedReleaseCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "release",
            "Lets go what waits of a point before it is due, for example because its target is back. The grades are shared and nothing can be taken out of them, so each message goes when it comes by: its point's setting ReleasableWithin says how often. A limited point's messages go through its limiter. Messages of other points are not touched; what fails afterwards waits as usual.");
        var point = LimiterCommand.Queue();
        var olderThan = new Option<string?>("--older-than") { Description = "Only what has waited for so long already, for example 10m.", HelpName = "AGE" };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        command.Arguments.Add(point);
        command.Options.Add(olderThan);
        command.Options.Add(yes);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            host,
            parsed,
            LimiterCommand.QueueOf(parsed.GetValue(point)),
            AgeOf(parsed.GetValue(olderThan)),
            parsed.GetValue(yes),
            cancellationToken));
        return command;
    }

    private static TimeSpan AgeOf(string? text) => text is null ? TimeSpan.Zero
        : DurationText.TryParse(text, out var age) && age > TimeSpan.Zero ? age
        : throw new UsageException($"--older-than: found '{text}', wanted an age such as 10m or 1h30m.");

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string point, TimeSpan age, bool yes, CancellationToken cancellationToken)
    {
        var json = parsed.GetValue(GlobalOptions.Json);
        if (!yes && (json || !host.InIsTerminal))
        {
            throw new UsageException(Question.WhyImpossible(json));
        }

        // the moment that counts is that of the command, not of the answer
        var waitsSinceBefore = host.Time.GetUtcNow() - age;
        var look = await DelayedLook.AtAsync(host, parsed, cancellationToken).ConfigureAwait(false);
        await using var ends = look.ConfigureAwait(false);
        await WorkQueue.RequireAsync(look.Connection, point, cancellationToken).ConfigureAwait(false);
        var releaser = new DelayedReleaser(look.Connection, host.Time);
        var visits = await releaser.VisitsOfAsync(point, cancellationToken).ConfigureAwait(false);
        if (visits.WhyNone is { } why)
        {
            return RetryCtl.Fail(host, ExitCode.Failed, $"{why} Nothing was changed.");
        }

        var waiting = look.Overview.Points.FirstOrDefault(one => one.Queue == point);
        var what = $"what waits of '{point}'{(age > TimeSpan.Zero ? $" for {DurationText.Format(age)} or longer, of " : ": ")}{Messages(waiting)}";
        if (!yes && !await Question.IsAgreedAsync(host, $"Release {what}", cancellationToken).ConfigureAwait(false))
        {
            return RetryCtl.Fail(host, ExitCode.Failed, "The answer was not yes, so nothing was changed.");
        }

        await releaser.ReleaseAsync(point, waitsSinceBefore, host.Operator, cancellationToken).ConfigureAwait(false);
        if (json)
        {
            JsonOutput.WriteLine(host.Out, new DelayedReleaseDocument(point, waitsSinceBefore, waiting?.Waiting ?? 0, waiting?.Error ?? 0, visits.Within, visits.Without));
        }
        else
        {
            host.Out.WriteLine(Printable.Wrap("Released ", $"{what}.", host.Width));
            host.Out.WriteLine(Printable.Wrap(string.Empty, visits.InWords, host.Width));
        }

        return visits.Without.Count == 0 ? ExitCode.Done : ExitCode.Finding;
    }

    private static string Messages(DelayedPoint? point) => point is null
        ? Printable.Messages(0)
        : point.Error > 0 ? $"{DelayedListCommand.Number(point.Waiting, point.Error)} messages" : Printable.Messages(point.Waiting);
}
