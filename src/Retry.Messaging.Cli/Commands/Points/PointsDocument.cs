using Retry.Messaging.Operations.Points;
using Retry.Messaging.Operations.Pulse;

namespace Retry.Messaging.Cli.Commands.Points;

/// <summary><c>points</c> as JSON shows it.</summary>
internal sealed record PointsDocument(
    DateTimeOffset At,
    IReadOnlyList<PointDocument> Points,
    PointDocument Total,
    long Climbing,
    long Lost,
    IReadOnlyList<ActivityDocument>? Activity)
{
    public static PointsDocument Of(PointsOverview overview, PulseBoard? board, DateTimeOffset at) => new(
        at,
        [.. overview.Points.Select(point => PointDocument.Of(point))],
        PointDocument.Of(overview.Total) with { Limiter = null, Trouble = null },
        overview.Climbing,
        overview.Lost,
        board is null ? null : [.. board.Points().Select(ActivityDocument.Of)]);
}
