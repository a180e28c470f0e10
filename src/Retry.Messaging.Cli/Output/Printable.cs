using System.Globalization;
using System.Text;

namespace Retry.Messaging.Cli.Output;

/// <summary>Text for an operator's terminal; whatever strangers wrote into a message must not drive it.</summary>
internal static class Printable
{
    /// <summary>One line: every control character replaced.</summary>
    public static string Line(string? text) => Clean(text, keepLines: false);

    /// <summary>Several lines: line breaks and tabs stay.</summary>
    public static string Lines(string? text) => Clean(text, keepLines: true);

    /// <summary>The first characters of a line.</summary>
    public static string Start(string? text, int length) =>
        text is null || text.Length <= length ? text ?? string.Empty : text[..(length - 1)] + "…";

    public static string Time(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>For example <c>1 message</c> or <c>2,000 messages</c>.</summary>
    public static string Messages(long count) => Count(count) + (count == 1 ? " message" : " messages");

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
            clean.Append(isBreak && keepLines ? rune.ToString() : isBreak ? " " : Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format ? "\uFFFD" : rune.ToString());
        }

        return clean.ToString();
    }
}
