using System.Globalization;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Pulse;

namespace Retry.Messaging.Cli.Commands.Points;

/// <summary>What the points do at the moment, as their nodes say each second.</summary>
internal static class ActivityTable
{
    private const int NarrowestName = 8;

    public static void Write(CliHost host, IReadOnlyList<PointActivity> points, string? trouble)
    {
        if (points.Count == 0)
        {
            host.Out.WriteLine(Printable.Wrap("Attempts per second: ", trouble ?? "no node has said anything yet.", host.Width));
            return;
        }

        var table = Tables.Create(host, ["DONE/S", "ERROR/S", "FAIL/S", "TIMED OUT", "RUN", "HELD", "P50", "P95", "LATE"], ["POINT"]);
        foreach (var point in points)
        {
            Tables.AddRow(
                table,
                Rate(point.Done),
                Rate(point.Error),
                Rate(point.Fail),
                Rate(point.TimedOut),
                Printable.Count(point.InFlight),
                Printable.Count(point.Held),
                Time(point.Median),
                Time(point.Slow),
                Time(point.Late),
                point.Queue);
        }

        Tables.Write(host, table, NarrowestName);
        foreach (var point in points)
        {
            if (point.Health.Target is { } target)
            {
                host.Out.WriteLine(Printable.Wrap($"{point.Queue}: ", $"what it calls looks ill: {target}.", host.Width));
            }

            foreach (var (node, why) in point.Health.Nodes)
            {
                host.Out.WriteLine(Printable.Wrap($"{point.Queue}: ", $"node {node} looks ill, while the others get on: {why}.", host.Width));
            }
        }
    }

    private static string Rate(double? perSecond) => perSecond is { } rate ? rate.ToString(rate < 10 ? "0.#" : "#,0", CultureInfo.InvariantCulture) : "-";

    private static string Time(TimeSpan? time) => time switch
    {
        null => "-",
        { TotalSeconds: >= 10 } => Printable.Age(time.Value),
        { TotalSeconds: >= 1 } => time.Value.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + "s",
        _ => Math.Ceiling(time.Value.TotalMilliseconds).ToString("0", CultureInfo.InvariantCulture) + "ms",
    };
}
