using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Points;
using Retry.Messaging.Operations.Pulse;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Cli.Commands.Points;

/// <summary><c>points</c>: every retry point of the virtual host in one table. Changes nothing.</summary>
internal static class PointsCommand
{
    // the broker refreshes its counts every five seconds
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);

    // home, and what is below; what was on the screen before stays in its history
    private const string Redraw = "\u001b[H\u001b[J";

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "points",
            "Shows every retry point of the virtual host: READY and UNACKED messages of its work queue, RUN BY how many consumers on how many nodes, messages CLIMBING the ladder ('delayed list' shows where), WAITING for its LIMITER, and PARKED ones ('-': there is no such queue). Below it says which points need attention; the exit code is then 3. Needs the management API, whose counts are up to five seconds old.");
        var watch = new Option<bool>("--watch") { Description = "Show it anew every two seconds until Ctrl-C, also while the broker does not answer; and below it attempts per second by how they end, how many RUN, outcomes HELD because the broker does not confirm them, what half (P50) and 95 of 100 attempts (P95) take, and how LATE repeated ones begin. The exit code is then 0." };
        command.Options.Add(watch);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, parsed.GetValue(watch), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, bool watch, CancellationToken cancellationToken)
    {
        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        // a watch keeps its connection, and has another when it was lost
        var broker = new OwnConnection(address, RetryCtl.Name);
        await using var ends = broker.ConfigureAwait(false);
        if (watch)
        {
            var feed = new PulseFeed(host.Time);
            await using var silent = feed.ConfigureAwait(false);
            return await WatchAsync(host, parsed, ListenAsync, feed, cancellationToken).ConfigureAwait(false);

            async Task<PointsOverview> ListenAsync(CancellationToken token)
            {
                await feed.ListenAsync(await broker.OpenAsync(token).ConfigureAwait(false), token).ConfigureAwait(false);
                return await ReadAsync(feed.Board, token).ConfigureAwait(false);
            }
        }

        var overview = await ReadAsync(null, cancellationToken).ConfigureAwait(false);
        Write(host, parsed, overview, null);
        return overview.Points.Any(point => point.NeedsAttention) ? ExitCode.Finding : ExitCode.Done;

        async Task<PointsOverview> ReadAsync(PulseBoard? board, CancellationToken token) =>
            await new PointsReader(await broker.OpenAsync(token).ConfigureAwait(false), management, board, host.Time).ReadAsync(token).ConfigureAwait(false);
    }

    private static async Task<int> WatchAsync(
        CliHost host,
        ParseResult parsed,
        Func<CancellationToken, Task<PointsOverview>> read,
        PulseFeed feed,
        CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                try
                {
                    var overview = await read(cancellationToken).ConfigureAwait(false);
                    host.Out.Write(host.OutIsTerminal ? Redraw : string.Empty);
                    Write(host, parsed, overview, feed);
                }
                catch (Exception exception) when (!cancellationToken.IsCancellationRequested
                    && (exception is ManagementException or BrokerConnectionException || BrokerFailures.IsGoneOrSilent(exception)))
                {
                    RetryCtl.Fail(host, ExitCode.Failed, $"{Printable.Time(host.Time.GetUtcNow())}: {exception.Message}");
                }

                await Task.Delay(BetweenLooks, host.Time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Done;
        }
    }

    private static void Write(CliHost host, ParseResult parsed, PointsOverview overview, PulseFeed? feed)
    {
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, PointsDocument.Of(overview, feed?.Board, host.Time.GetUtcNow()));
        }
        else
        {
            PointsTable.Write(host, overview);
            if (feed is not null)
            {
                ActivityTable.Write(host, feed.Board.Points(), feed.Trouble);
            }
        }
    }
}
