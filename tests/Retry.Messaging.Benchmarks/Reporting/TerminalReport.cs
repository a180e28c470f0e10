using Spectre.Console;

namespace Retry.Messaging.Benchmarks.Reporting;

/// <summary>Results as tables on the terminal.</summary>
internal static class TerminalReport
{
    private const int WidthOfPipes = 160;

    public static void Write(BenchmarkResult result, string where)
    {
        var console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = WidthOfPipes;
            console.Profile.Capabilities.Ansi = false;
        }

        console.WriteLine();
        console.Write(new Text(result.Title, new Style(decoration: Decoration.Bold)));
        console.WriteLine();
        var columns = Columns(result);
        var table = Create([string.Empty, .. columns]);
        foreach (var row in result.Rows)
        {
            table.AddRow([new Text(row.Name), .. columns.Select(column => new Text(row.Figures.FirstOrDefault(figure => figure.Name == column)?.ToString() ?? string.Empty).RightJustified())]);
        }

        console.Write(table);
        if (result.Targets.Count > 0)
        {
            var targets = Create(["target", "found", "wanted", string.Empty]);
            foreach (var target in result.Targets)
            {
                targets.AddRow(new Text(target.What), new Text(target.Found.ToString()), new Text(target.Wanted), new Text(target.Verdict, target.Verdict == "missed" ? new Style(Color.Red) : new Style(Color.Green)));
            }

            console.Write(targets);
        }

        console.WriteLine(where);
        console.WriteLine(result.Method);
    }

    /// <summary>The columns that any row has, in the order of the fullest row.</summary>
    public static IReadOnlyList<string> Columns(BenchmarkResult result) =>
        [.. result.Rows.OrderByDescending(row => row.Figures.Count).SelectMany(row => row.Figures).Select(figure => figure.Name).Distinct()];

    private static Table Create(IEnumerable<string> columns)
    {
        var table = new Table { Border = TableBorder.Rounded, UseSafeBorder = true };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column)));
        }

        return table;
    }
}
