using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Points;

namespace Retry.Messaging.Cli.Commands.Points;

/// <summary><c>points</c>: every retry point of the virtual host in one table. Changes nothing.</summary>
internal static class PointsCommand
{
    // the broker refreshes its counts every five seconds
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);

    private const int NarrowestName = 12;

    public static Command Create(CliHost host)
    {
        var command = new Command("points", "Shows every retry point of the virtual host: its work queue, its limiter and its parking lot. Needs the management API, whose counts are up to five seconds old.");
        var watch = new Option<bool>("--watch") { Description = "Show it anew every two seconds, until Ctrl-C." };
        command.Options.Add(watch);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, parsed.GetValue(watch), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, bool watch, CancellationToken cancellationToken)
    {
        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var reader = new PointsReader(connection, management, host.Time);
        var isJson = parsed.GetValue(GlobalOptions.Json);
        try
        {
            while (true)
            {
                var overview = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                if (isJson)
                {
                    JsonOutput.WriteLine(host.Out, PointsDocument.Of(overview));
                }
                else
                {
                    if (watch && host.OutIsTerminal)
                    {
                        Tables.ConsoleOf(host.Out, host.Width, isTerminal: true).Clear(home: true);
                    }

                    Write(host, overview);
                }

                if (!watch)
                {
                    return ExitCode.Done;
                }

                await Task.Delay(BetweenLooks, host.Time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (watch && cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Done;
        }
    }

    private static void Write(CliHost host, PointsOverview overview)
    {
        if (overview.Points.Count == 0)
        {
            host.Out.WriteLine("No retry points. A service with graded retry makes them when it starts.");
        }
        else
        {
            var table = Tables.Create(host, ["READY", "UNACKED", "USERS", "WAITING", "PARKED", "LIMITER"], ["POINT"]);
            var total = overview.Total;
            foreach (var point in overview.Points.Append(total))
            {
                Tables.AddRow(
                    table,
                    Number(point.Ready),
                    Number(point.Unacknowledged),
                    Number(point.Consumers),
                    Number(point.Waiting),
                    Number(point.Parked),
                    ReferenceEquals(point, total) ? string.Empty : LimiterOf(point),
                    point.Queue);
            }

            Tables.Write(host, table, NarrowestName);
        }

        host.Out.WriteLine($"On the ladder: {Printable.Messages(overview.Climbing)} of all points together. Lost: {Printable.Messages(overview.Lost)}.");
    }

    private static string Number(long? number) => number is { } known ? Printable.Count(known) : "-";

    private static string LimiterOf(PointSummary point) => point switch
    {
        { Limiter: PointLimiterState.None } => "-",
        { Limiter: PointLimiterState.Active, PerSecond: { } rate } => LimiterSettingAnswer.Rate(rate),
        { Limiter: PointLimiterState.Active } => "active",
        { Limiter: PointLimiterState.Paused } => "paused",
        { Limiter: PointLimiterState.Missing } => "MISSING",
        _ => "unknown",
    };
}
