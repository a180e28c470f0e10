using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Limiter;

namespace Retry.Messaging.Cli.Commands.Limiter;

/// <summary><c>limiter status QUEUE</c>: what waits, what is set, who is active. Exit code 3 when messages wait and no limiter runs.</summary>
internal static class LimiterStatusCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("status", "Shows how many messages wait for redelivery, the rate, and which limiter is active.");
        var queue = LimiterCommand.Queue();
        command.Arguments.Add(queue);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, LimiterCommand.QueueOf(parsed.GetValue(queue)), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string point, CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var report = await LimiterCommand.ReadAsync(new LimiterControl(connection, time: host.Time), point, cancellationToken).ConfigureAwait(false);
        var deserted = report is { Waiting: not null, Limiters: 0, Setting.Paused: false };
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, report);
        }
        else if (report.Waiting is not { } waiting)
        {
            host.Out.WriteLine($"{point}: no release queue, so no limit. Redeliveries go straight to the work queue.");
        }
        else
        {
            host.Out.WriteLine($"point        {Printable.Line(point)}");
            host.Out.WriteLine($"waiting      {Printable.Messages(waiting)} (the active limiter holds some more)");
            host.Out.WriteLine($"rate         {Printable.Line(RateOf(report))}");
            if (report.Budget is { } budget)
            {
                host.Out.WriteLine($"budget       {budget}");
            }

            if (report is { Limiters: > 0, LastActive: { HeldBack: { } reason } holder })
            {
                host.Out.WriteLine($"held back    {Printable.Line(reason)} (at {Printable.Time(holder.At)})");
            }

            if (report.Setting.At is { } at)
            {
                host.Out.WriteLine($"last set     {Printable.Time(at)} by {Printable.Line(report.Setting.By)}");
            }

            host.Out.WriteLine($"limiters     {(report is { Setting.Paused: true, Limiters: 0 } ? "paused: limiters wait for 'resume'" : deserted ? "0: NOTHING IS REDELIVERED" : "1 active; those that stand by are not counted")}");
            if (report.LastActive is { } active && report.Limiters > 0)
            {
                host.Out.WriteLine($"active       {Printable.Line(active.Instance)} since {Printable.Time(active.At)}");
            }

            if (report is { Limiters: > 0, Setting.PerSecond: null, LastActive: { } first, LastStarted: { } last } && last.At > first.At
                && last.CodeLimit != first.CodeLimit)
            {
                host.Out.WriteLine($"stood by     {Printable.Line(last.Instance)} at {Printable.Time(last.At)}");
                host.Out.WriteLine($"its rate     {Printable.Line(CodeRate(last.CodeLimit))}, unlike the active one's");
            }

            host.Out.WriteLine(report.Ready is { } ready ? $"work queue   {Printable.Messages(ready)} ready, {Printable.Count(report.Consumers, "consumer")}" : "work queue   does not exist");
        }

        return deserted ? RetryCtl.Fail(
            host,
            ExitCode.Finding,
            $"Found no limiter for '{point}', wanted one. Start a service that has the point, or run 'retryctl limiter run --point {point}'.") : ExitCode.Done;
    }

    private static string RateOf(LimiterReport report) =>
        report.Setting.PerSecond is not null || report.Setting.Paused ? LimiterSettingAnswer.Describe(report.Setting)
        // instances of two versions may disagree: what counts is the one that releases
        : report is { Limiters: > 0, LastActive: { } active } ? CodeRate(active.CodeLimit)
        : report.Code is { } code ? CodeRate(code.Limit)
        : "not known, because no service has announced it yet";

    private static string CodeRate(RedeliveryLimit? limit) =>
        limit is null ? "no limit, because the code sets none" : $"{LimiterSettingAnswer.Rate(limit.PerSecond)}, set by the code";
}
