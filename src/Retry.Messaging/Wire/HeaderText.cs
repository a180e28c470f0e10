using System.Text;
using Retry.Messaging.Outcomes;

namespace Retry.Messaging.Wire;

/// <summary>Text that goes into headers: one line, bounded, valid UTF-8, whatever it was made from.</summary>
internal static class HeaderText
{
    /// <summary>Replaces control characters and broken surrogates, and cuts at a limit without splitting a character.</summary>
    public static string OneLine(string? text, int maxChars)
    {
        if (string.IsNullOrEmpty(text))
        {
            return string.Empty;
        }

        var length = Math.Min(text.Length, maxChars);
        if (length < text.Length && char.IsHighSurrogate(text[length - 1]))
        {
            length--;
        }

        var shown = text.AsSpan(0, length);
        if (IsClean(shown))
        {
            return length == text.Length ? text : text[..length];
        }

        var line = new StringBuilder(length);
        foreach (var rune in shown.EnumerateRunes())
        {
            line.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        }

        return line.ToString();
    }

    private static bool IsClean(ReadOnlySpan<char> text)
    {
        // nearly every text is printable ASCII, which is found out many characters at a time
        var other = text.IndexOfAnyExceptInRange(' ', '~');
        foreach (var character in other < 0 ? [] : text[other..])
        {
            if (char.IsControl(character) || char.IsSurrogate(character))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The type's full name, or its short one when that would be cut.</summary>
    public static string TypeName(Exception exception)
    {
        var type = exception.GetType();
        return type.IsGenericType ? type.Name : type.FullName ?? type.Name;
    }

    /// <summary>What separates the names of <see cref="TypeNames"/>.</summary>
    public const string TypeSeparator = ", ";

    /// <summary>The names of an exception's type and of those inside it, each once, outermost first, as many as fit; <see langword="null"/>
    /// where nothing is inside.</summary>
    public static string? TypeNames(Exception exception, int maxChars)
    {
        if (ExceptionLevels.IsAlone(exception))
        {
            return null;
        }

        var names = string.Empty;
        foreach (var name in ExceptionLevels.Of(exception).SelectMany(level => level).Select(TypeName).Distinct())
        {
            var longer = names.Length == 0 ? name : names + TypeSeparator + name;
            if (longer.Length > maxChars)
            {
                break;
            }

            names = longer;
        }

        return names;
    }

    /// <summary>The exception's message, even when its Message property throws.</summary>
    public static string Message(Exception exception) => Read(exception, static read => read.Message, "(its Message threw)") ?? string.Empty;

    /// <summary>The exception's stack trace, if it has one, even when its StackTrace property throws.</summary>
    public static string? StackTrace(Exception exception) => Read(exception, static read => read.StackTrace, "(its StackTrace threw)");

    private static string? Read(Exception exception, Func<Exception, string?> property, string otherwise)
    {
        try
        {
            return property(exception);
        }
#pragma warning disable CA1031 // a user's property may throw anything, and the retry must not die of it
        catch (Exception)
        {
            return otherwise;
        }
#pragma warning restore CA1031
    }
}
