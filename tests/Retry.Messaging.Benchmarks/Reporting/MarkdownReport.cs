using System.Text;

namespace Retry.Messaging.Benchmarks.Reporting;

/// <summary>Results as sections of a Markdown file. Each stands between two marks, and replaces what stood there before; the rest of the file is somebody's text.</summary>
internal static class MarkdownReport
{
    private static readonly string[] TargetColumns = ["target", "found", "wanted", string.Empty];
    private static readonly string[] TargetAlignment = ["---", "---:", "---:", "---"];

    /// <summary>Writes a result into a file; a file that has no place for it gets it at its end.</summary>
    /// <remarks>The file changes in one step: whoever stops the run finds the old page or the new one.</remarks>
    public static async Task WriteAsync(string file, BenchmarkResult result, string where, CancellationToken cancellationToken)
    {
        var text = File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : string.Empty;
        var next = file + ".new";
        try
        {
            await File.WriteAllTextAsync(next, WithTargets(Replace(text, result.Name, Section(result, where))), cancellationToken);
            File.Move(next, file, overwrite: true);
        }
        finally
        {
            File.Delete(next); // nothing where it was moved
        }
    }

    /// <summary>Puts a section into a text.</summary>
    public static string Replace(string text, string name, string section)
    {
        var (begin, end) = ($"<!-- bench {name} -->\n", $"<!-- end of {name} -->\n");
        var from = text.IndexOf(begin, StringComparison.Ordinal);
        var to = from < 0 ? -1 : text.IndexOf(end, from, StringComparison.Ordinal);
        return to < 0
            ? $"{(text.Length == 0 ? text : text.TrimEnd('\n') + "\n\n")}{begin}{section}{end}"
            : $"{text[..from]}{begin}{section}{text[to..]}";
    }

    /// <summary>Gathers the targets of all sections in the table that stands first, if the text has a place for it.</summary>
    public static string WithTargets(string text)
    {
        const string begin = "<!-- targets -->\n";
        const string end = "<!-- end of targets -->\n";
        var from = text.IndexOf(begin, StringComparison.Ordinal);
        var to = from < 0 ? -1 : text.IndexOf(end, from, StringComparison.Ordinal);
        if (to < 0)
        {
            return text;
        }

        var table = new StringBuilder("\n");
        Row(table, TargetColumns);
        Row(table, TargetAlignment);
        var isTarget = false;
        foreach (var line in text[to..].Split('\n'))
        {
            var isHead = line.StartsWith("| target |", StringComparison.Ordinal);
            isTarget = isHead || (isTarget && line.StartsWith('|'));
            if (isTarget && !isHead && !line.StartsWith("| ---", StringComparison.Ordinal))
            {
                table.Append(line).Append('\n');
            }
        }

        return $"{text[..from]}{begin}{table}\n{text[to..]}";
    }

    /// <summary>The section of a result.</summary>
    public static string Section(BenchmarkResult result, string where)
    {
        var text = new StringBuilder();
        var columns = TerminalReport.Columns(result);
        text.Append('\n').Append("### ").Append(result.Title).Append("\n\n").Append(result.Method).Append("\n\n");
        Row(text, [string.Empty, .. columns]);
        Row(text, ["---", .. columns.Select(_ => "---:")]);
        foreach (var row in result.Rows)
        {
            Row(text, [row.Name, .. columns.Select(column => row.Figures.FirstOrDefault(figure => figure.Name == column)?.ToString() ?? string.Empty)]);
        }

        if (result.Targets.Count > 0)
        {
            text.Append('\n');
            Row(text, TargetColumns);
            Row(text, TargetAlignment);
            foreach (var target in result.Targets)
            {
                Row(text, [target.What, target.Found.ToString(), target.Wanted, target.Verdict == "missed" ? "**missed**" : target.Verdict]);
            }
        }

        return text.Append('\n').Append(where).Append("\n\n").ToString();
    }

    private static void Row(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
}
