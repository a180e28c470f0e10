using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Delayed;

namespace Retry.Messaging.Cli.Commands.Delayed;

/// <summary><c>delayed list [POINT]</c>: what waits on the ladder, by point and grade. Changes nothing.</summary>
internal static class DelayedListCommand
{
    private const int NarrowestName = 12;

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "list",
            "Shows how many messages of each point WAIT in each grade of the ladder, and in what time the NEXT and the LAST of them leave it, for their queue or for a shorter grade. The grades are shared, so processes count what they send there; '±': by how many that may be wrong, because of what a killed process had not reported. Listens for 1.5 s.");
        var point = new Argument<string?>("POINT") { Description = "Only this work queue.", Arity = ArgumentArity.ZeroOrOne };
        command.Arguments.Add(point);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, parsed.GetValue(point), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string? point, CancellationToken cancellationToken)
    {
        var look = await DelayedLook.AtAsync(host, parsed, cancellationToken).ConfigureAwait(false);
        await using var ends = look.ConfigureAwait(false);
        var overview = look.Overview;
        if (point is not null && overview.Points.All(one => one.Queue != point))
        {
            await WorkQueue.RequireAsync(look.Connection, point, cancellationToken).ConfigureAwait(false);
        }

        var shown = point is null ? overview : overview with { Points = [.. overview.Points.Where(one => one.Queue == point)] };
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, DelayedDocument.Of(overview, host.Time.GetUtcNow()) with { Points = DelayedDocument.Of(shown, default).Points });
            return ExitCode.Done;
        }

        WriteTable(host, shown);
        WriteLadder(host, overview);
        if (look.Trouble is { } trouble)
        {
            host.Out.WriteLine(Printable.Wrap("What was sent in the last five seconds is missing. ", trouble, host.Width));
        }

        return ExitCode.Done;
    }

    private static void WriteTable(CliHost host, DelayedOverview overview)
    {
        if (overview.Points.Count == 0)
        {
            host.Out.WriteLine("Nothing that is known to belong to a point waits in delay.");
            return;
        }

        var now = host.Time.GetUtcNow();
        var table = Tables.Create(host, ["GRADE", "WAIT", "NEXT", "LAST"], ["POINT"]);
        foreach (var point in overview.Points)
        {
            foreach (var rung in point.Rungs)
            {
                Tables.AddRow(table, rung.Grade, Number(rung.Waiting, rung.Error), In(rung.Next - now), In(rung.Last - now), point.Queue);
            }

            if (point.Rungs.Count > 1)
            {
                Tables.AddRow(table, "all", Number(point.Waiting, point.Error), string.Empty, string.Empty, point.Queue);
            }
        }

        Tables.Write(host, table, NarrowestName);
    }

    private static void WriteLadder(CliHost host, DelayedOverview overview)
    {
        var unclaimed = overview.Rungs.Select(rung => (rung.Grade, Count: overview.UnclaimedIn(rung))).Where(rung => rung.Count > 0).ToList();
        host.Out.WriteLine(Printable.Wrap(
            "On the broker: ",
            $"{Printable.Messages(overview.Rungs.Sum(rung => rung.Waiting))}{(overview.Rungs.Count > 0 ? ": " : ".")}{string.Join(", ", overview.Rungs.Select(rung => $"{rung.Grade} {Printable.Count(rung.Waiting)}"))}",
            host.Width));
        if (unclaimed.Count > 0)
        {
            host.Out.WriteLine(Printable.Wrap(
                "Of no known point (scheduled, not reported yet, or sent by a process that was killed): ",
                string.Join(", ", unclaimed.Select(rung => $"{rung.Grade} {Printable.Count(rung.Count)}")),
                host.Width));
        }
    }

    /// <summary>For example <c>120</c> or <c>120 ±3</c>.</summary>
    public static string Number(long number, long error) => Printable.Count(number) + (error > 0 ? $" ±{Printable.Count(error)}" : string.Empty);

    private static string In(TimeSpan? time) => time is { } left ? Printable.Age(left) : "-";
}
