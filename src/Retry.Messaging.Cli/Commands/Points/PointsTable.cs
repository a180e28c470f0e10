using Retry.Messaging.Cli.Commands.Delayed;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Points;

namespace Retry.Messaging.Cli.Commands.Points;

/// <summary>All retry points for people: a table, and below it what needs attention.</summary>
internal static class PointsTable
{
    private const int NarrowestName = 9;

    public static void Write(CliHost host, PointsOverview overview)
    {
        if (overview.Points.Count == 0)
        {
            host.Out.WriteLine("No retry points. A service with graded retry makes them when it starts.");
        }
        else
        {
            var table = Tables.Create(host, ["READY", "UNACKED", "RUN BY", "CLIMBING", "WAITING", "PARKED", "LIMITER"], ["POINT"]);
            foreach (var point in overview.Points)
            {
                Add(table, point, LimiterOf(point));
            }

            Add(table, overview.Total, string.Empty);
            Tables.Write(host, table, NarrowestName);
        }

        foreach (var point in overview.Points.Where(point => point.Trouble is not null))
        {
            host.Out.WriteLine(Printable.Wrap($"Look at {Printable.Line(point.Queue)}: ", $"{point.Trouble}. {Printable.Line(point.NextStep)}", host.Width));
        }

        foreach (var point in overview.Points.Where(point => point.UnfinishedPlan is not null))
        {
            var plan = Printable.Line(point.UnfinishedPlan!);
            host.Out.WriteLine(Printable.Wrap(
                $"Look at {Printable.Line(point.Queue)}: ",
                $"plan {plan} was not finished and keeps others from its parking lot. Run 'retryctl plans resume {plan}', or 'retryctl plans cancel {plan}'.",
                host.Width));
        }

        foreach (var point in overview.Points.Where(point => point.Builds.Count > 1))
        {
            host.Out.WriteLine(Printable.Wrap(
                $"{Printable.Line(point.Queue)} runs in {Printable.Count(point.Builds.Count)} builds: ",
                $"{Printable.Line(string.Join(", ", point.Builds))}. Run 'retryctl nodes {Printable.Line(point.Queue)}'.",
                host.Width));
        }

        host.Out.WriteLine(Printable.Wrap(
            string.Empty,
            $"At {Printable.Time(host.Time.GetUtcNow())}. On the ladder: {Printable.Messages(overview.Climbing)} of all points together. Lost: {Printable.Count(overview.Lost)}.",
            host.Width));
    }

    private static void Add(Spectre.Console.Table table, PointSummary point, string limiter) => Tables.AddRow(
        table,
        Number(point.Ready),
        Number(point.Unacknowledged),
        ConsumersOf(point),
        point.Climbing is { } climbing ? DelayedListCommand.Number(climbing, point.ClimbingError ?? 0) : "-",
        Number(point.Waiting),
        Number(point.Parked),
        limiter,
        point.Queue);

    private static string Number(long? number) => number is { } known ? Printable.Count(known) : "-";

    private static string ConsumersOf(PointSummary point) => Number(point.Consumers) + (point is { Consumers: > 0, Nodes: > 0 and var nodes } ? $" on {nodes}" : string.Empty);

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
