using System.Globalization;
using System.Text;
using Spectre.Console.Rendering;

namespace Retry.Messaging.Cli.Output;

/// <summary>Text for an operator's terminal; whatever strangers wrote into a message must not drive it.</summary>
internal static class Printable
{
    /// <summary>One line: every control character replaced.</summary>
    public static string Line(string? text) => Clean(text, keepLines: false);

    /// <summary>Several lines: line breaks and tabs stay.</summary>
    public static string Lines(string? text) => Clean(text, keepLines: true);

    public static string Time(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>For example <c>1 message</c> or <c>2,000 messages</c>.</summary>
    public static string Messages(long count) => Count(count, "message");

    /// <summary>For example <c>1 consumer</c> or <c>2 consumers</c>.</summary>
    public static string Count(long count, string thing) => $"{Count(count)} {thing}{(count == 1 ? "" : "s")}";

    /// <summary>For example <c>45s</c>, <c>12m</c>, <c>3h</c> or <c>8d</c>, rounded down.</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 2 } => $"{(long)age.TotalDays}d",
        { TotalHours: >= 2 } => $"{(long)age.TotalHours}h",
        { TotalMinutes: >= 2 } => $"{(long)age.TotalMinutes}m",
        _ => $"{Math.Max(0, (long)age.TotalSeconds)}s",
    };

    /// <summary>How many cells of a terminal a line takes; Chinese signs take two.</summary>
    public static int Cells(string line) => new Segment(line).CellCount();

    /// <summary>A line with blanks behind it, up to so many cells.</summary>
    public static string Pad(string line, int cells) => line + new string(' ', Math.Max(0, cells - Cells(line)));

    /// <summary>As much of a line as fits into so many cells.</summary>
    public static string Fit(string line, int cells)
    {
        if (Cells(line) <= cells)
        {
            return line;
        }

        var fitting = new StringBuilder();
        var left = cells - 1;
        foreach (var rune in line.EnumerateRunes())
        {
            left -= Cells(rune.ToString());
            if (left < 0)
            {
                break;
            }

            fitting.Append(rune);
        }

        return fitting.Append('…').ToString();
    }

    /// <summary>A label and a text in lines that fit, broken between words; the text's further lines begin below its first.</summary>
    public static string Wrap(string label, string text, int cells)
    {
        var wrapped = new StringBuilder(label);
        var line = Cells(label);
        var indent = line;
        foreach (var word in text.Split(' '))
        {
            var width = Cells(word);
            if (line > indent && line + 1 + width > cells)
            {
                wrapped.Append('\n').Append(' ', indent);
                line = indent;
            }
            else if (line > indent)
            {
                wrapped.Append(' ');
                line++;
            }

            wrapped.Append(word);
            line += width;
        }

        return wrapped.ToString();
    }

    private static string Clean(string? text, bool keepLines)
    {
        if (string.IsNullOrEmpty(text))
        {
            return string.Empty;
        }

        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var isBreak = rune.Value is '\n' or '\t';
            // format characters (Cf) include those that turn the direction of a line around
            clean.Append(isBreak && keepLines ? rune.ToString() : isBreak ? " " : Rune.IsControl(rune)
                || Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format ? "\uFFFD" : rune.ToString());
        }

        return clean.ToString();
    }
}
