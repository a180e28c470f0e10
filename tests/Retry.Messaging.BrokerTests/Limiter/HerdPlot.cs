using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>Redeliveries per second after an outage, with and without a limit, drawn from what was measured.</summary>
internal static class HerdPlot
{
    private const int Width = 760;
    private const int Height = 320;
    private const int Left = 60;
    private const int Right = 20;
    private const int Top = 40;
    private const int Bottom = 40;
    private const int Step = 1000;
    private const int SecondsStep = 10;

    /// <summary>Counts by second, from the first.</summary>
    public static IReadOnlyList<int> PerSecond(long[] at)
    {
        var start = at.Min();
        var counts = new int[(int)Stopwatch.GetElapsedTime(start, at.Max()).TotalSeconds + 1];
        foreach (var one in at)
        {
            counts[(int)Stopwatch.GetElapsedTime(start, one).TotalSeconds]++;
        }

        return counts;
    }

    /// <summary>Draws both as an SVG image.</summary>
    public static string Draw(string title, long[] free, long[] limited, int cap)
    {
        var (without, with) = (PerSecond(free), PerSecond(limited));
        var seconds = Math.Max(without.Count, with.Count);
        var highest = (Math.Max(without.Max(), with.Max()) + Step - 1) / Step * Step;
        var svg = new StringBuilder();
        Line($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">""");
        Line($"""<rect width="{Width}" height="{Height}" fill="white"/>""");
        Line($"""<text x="{Left}" y="20" font-size="14">Redeliveries per second: {title}</text>""");
        for (var value = 0; value <= highest; value += Step)
        {
            Line($"""<line x1="{Left}" y1="{Y(value):0.#}" x2="{Width - Right}" y2="{Y(value):0.#}" stroke="#ddd"/><text x="{Left - 6}" y="{Y(value) + 4:0.#}" text-anchor="end">{value}</text>""");
        }

        for (var second = 0; second <= seconds; second += SecondsStep)
        {
            Line($"""<text x="{X(second):0.#}" y="{Height - Bottom + 18}" text-anchor="middle">{second} s</text>""");
        }

        Curve(without, "#c0392b");
        Curve(with, "#2471a3");
        Line($"""<line x1="{Left}" y1="{Y(cap):0.#}" x2="{Width - Right}" y2="{Y(cap):0.#}" stroke="#2471a3" stroke-dasharray="4 4"/>""");
        Line($"""<text x="{Width - Right}" y="{Top + 14}" text-anchor="end" fill="#c0392b">without a limit</text>""");
        Line($"""<text x="{Width - Right}" y="{Top + 30}" text-anchor="end" fill="#2471a3">LimitRedelivery(perSecond: {cap}), dashed: the cap</text>""");
        Line($"</svg>");
        return svg.ToString();

        double X(double second) => Left + (second / seconds * (Width - Left - Right));
        double Y(double value) => Height - Bottom - (value / highest * (Height - Top - Bottom));
        void Line(FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        // a step for each second
        void Curve(IReadOnlyList<int> counts, string color)
        {
            var points = counts.SelectMany((count, second) => new[] { (X(second), Y(count)), (X(second + 1), Y(count)) });
            var path = string.Join(' ', points.Append((X(counts.Count), Y(0))).Select(point => FormattableString.Invariant($"{point.Item1:0.#},{point.Item2:0.#}")));
            Line($"""<polyline points="{X(0):0.#},{Y(0):0.#} {path}" fill="none" stroke="{color}" stroke-width="1.5"/>""");
        }
    }
}
