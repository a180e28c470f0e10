using Retry.Messaging.Operations.Points;

namespace Retry.Messaging.Cli.Commands.Points;

/// <summary><c>points</c> as JSON shows it.</summary>
internal sealed record PointsDocument(DateTimeOffset At, IReadOnlyList<PointDocument> Points, PointDocument Total, long Climbing, long Lost)
{
    public static PointsDocument Of(PointsOverview overview, DateTimeOffset at) => new(
        at,
        [.. overview.Points.Select(point => PointDocument.Of(point))],
        PointDocument.Of(overview.Total) with { Limiter = null, Trouble = null },
        overview.Climbing,
        overview.Lost);
}
